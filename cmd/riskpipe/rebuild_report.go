package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/riskpipe/riskpipe/pipeline"
)

// rebuildReport is what rebuild did and proved.
type rebuildReport struct {
	Names   *pipeline.RestoredNames    `json:"names,omitempty"`
	Rebuilt []pipeline.RebuildProgress `json:"rebuilt,omitempty"`
	Proofs  []pipeline.PartitionProof  `json:"proofs,omitempty"`
}

// print writes the report and returns an error unless all that was to be proved
// is.
func (r rebuildReport) print(out io.Writer, format string) error {
	var err error
	if format == "json" {
		err = writeJSON(out, r)
	} else {
		err = r.table(out)
	}
	if err != nil {
		return err
	}
	different, unproven := 0, 0
	for _, p := range r.Proofs {
		switch p.Verdict {
		case pipeline.StatesDifferent:
			different++
		case pipeline.StatesUnproven:
			unproven++
		case pipeline.StatesEqual:
		}
	}
	var problems []error
	if different > 0 {
		problems = append(problems, fmt.Errorf("the states of %d of %d partitions are not what the log makes of them", different, len(r.Proofs)))
	}
	if unproven > 0 {
		problems = append(problems, fmt.Errorf("the states of %d of %d partitions could not be proved", unproven, len(r.Proofs)))
	}
	if len(problems) > 0 {
		return &exitError{exitFailure, errors.Join(problems...)}
	}
	return nil
}

func (r rebuildReport) table(out io.Writer) error {
	if r.Names != nil {
		fmt.Fprintf(out, "%d names are known, of which %d were missing\n", r.Names.Logged, r.Names.Missing)
	}
	if len(r.Rebuilt) > 0 {
		var records int64
		for _, p := range r.Rebuilt {
			records += p.End - p.Start
		}
		fmt.Fprintf(out, "%d partitions are scored to where they ended: %d records\n", len(r.Rebuilt), records)
	}
	if len(r.Proofs) == 0 {
		return nil
	}
	p := paletteOf(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	// Colours would count as width, so the verdict stands last.
	fmt.Fprintln(w, "PARTITION\tUSERS\tRECORDS\tOFFSETS\tDIGEST\tVERDICT")
	for _, proof := range r.Proofs {
		colour := green
		if proof.Verdict != pipeline.StatesEqual {
			colour = red
		}
		fmt.Fprintf(w, "%d\t%d\t%d\t%d–%d\t%s\t%s\n", proof.Partition, proof.Users, proof.Records, proof.From, proof.To,
			proof.Stored.String()[:16], p.paint(colour, string(proof.Verdict)))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	for _, proof := range r.Proofs {
		if proof.Verdict == pipeline.StatesEqual {
			continue
		}
		fmt.Fprintf(out, "\npartition %d is %s: %s\n", proof.Partition, proof.Verdict, proof.Reason)
		for _, d := range proof.First {
			fmt.Fprintf(out, "  %s at offset %d: %s\n", d.User, d.Offset, differenceText(d.Kind))
		}
		if more := proof.Differences - len(proof.First); more > 0 {
			fmt.Fprintf(out, "  and %d more users\n", more)
		}
	}
	return nil
}

func differenceText(kind string) string {
	switch kind {
	case pipeline.StateLost:
		return "lost: the log makes a state, and there is none"
	case pipeline.StateUnfounded:
		return "unfounded: there is a state, and nothing in the log that makes one"
	default:
		return "altered: the state is another than the log's"
	}
}
