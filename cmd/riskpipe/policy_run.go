package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
)

func newPolicyTestCommand() *cobra.Command {
	var (
		run, junit string
		verbose    bool
	)
	c := &cobra.Command{
		Use:   "test",
		Short: "Run the tests in the policies and indicators",
		Long: `test runs the stories in the policy files, and those of the catalogue of
indicators, through the engine that scores. Of each test that fails it says what
was expected and did not come, and shows how the score came about: a line for each
indicator, for how unusual it was, and for each modifier, adding up to the score.

Exit status: 0 when all tests pass, 1 when one fails.`,
		Example: `  riskpipe policy test --policies policies/
  riskpipe policy test --run 'data_theft.*/withdrawn' -v
  riskpipe policy test --junit policies.xml`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := wantsJSON(cmd, "text")
			if err != nil {
				return err
			}
			wanted, err := regexp.Compile(run)
			if err != nil {
				return &exitError{exitRejects, fmt.Errorf("--run: %w", err)}
			}
			library, config, err := libraryOf(cmd)
			if err != nil {
				return err
			}
			options, err := config.Score.options()
			if err != nil {
				return err
			}
			results, err := runTests(library, options, wanted, cmd.ErrOrStderr())
			if err != nil {
				return &exitError{exitConfig, err}
			}
			if len(results) == 0 {
				return &exitError{exitRejects, fmt.Errorf("no test is like %q; names are subject/test, as -v prints them", run)}
			}
			report := testReport{out: cmd.OutOrStdout(), verbose: verbose, results: results}
			if junit != "" {
				if err := writeJUnit(junit, results); err != nil {
					return err
				}
			}
			if asJSON {
				err = report.json()
			} else {
				err = report.text()
			}
			if err == nil && report.failed() > 0 {
				err = &exitError{exitFailure, errors.New("")}
			}
			return err
		},
	}
	c.Flags().StringVar(&run, "run", "", "run only tests whose subject/test is like the `regexp`")
	c.Flags().StringVar(&junit, "junit", "", "write the results as JUnit XML into the `file`, too")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show tests that pass, too")
	addFormatFlag(c, "text", "json")
	return c
}

// runTests runs the wanted tests, one policy or indicator after the other.
func runTests(library operators.Library, options operators.Options, wanted *regexp.Regexp, talk io.Writer) ([]operators.TestResult, error) {
	pick := func(subject, test string) bool { return wanted.MatchString(subject + "/" + test) }
	alone := library
	alone.Policies, alone.Indicators = nil, slices.Clone(library.Indicators)
	for i := range alone.Indicators {
		alone.Indicators[i].Tests = nil
	}
	bar := newProgress(talk, "testing", "policies and indicators", int64(len(library.Indicators)+len(library.Policies)))
	defer bar.done()
	var results []operators.TestResult
	next := func() error {
		some, err := alone.RunTests(options)
		results = append(results, some...)
		bar.add(1)
		return err
	}
	for i, ind := range library.Indicators {
		tests := slices.DeleteFunc(slices.Clone(ind.Tests), func(t operators.IndicatorTest) bool {
			return !pick(ind.Name, t.Kind+": "+t.Name)
		})
		alone.Indicators[i].Tests = tests
		if err := next(); err != nil {
			return nil, err
		}
		alone.Indicators[i].Tests = nil
	}
	for _, p := range library.Policies {
		p.Tests = slices.DeleteFunc(slices.Clone(p.Tests), func(t operators.Test) bool { return !pick(p.Name, t.Name) })
		alone.Policies = []operators.Policy{p}
		if err := next(); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// testReport prints the results of tests.
type testReport struct {
	out     io.Writer
	verbose bool
	results []operators.TestResult
}

func (r testReport) failed() (n int) {
	for _, result := range r.results {
		if len(result.Problems) > 0 {
			n++
		}
	}
	return n
}

// testedJSON is a result as -o json writes it.
type testedJSON struct {
	Subject  string                 `json:"subject"`
	Test     string                 `json:"test"`
	Passed   bool                   `json:"passed"`
	Problems []string               `json:"problems"`
	Score    schemas.Points         `json:"score"`
	Ledger   []schemas.Contribution `json:"ledger"`
}

func (r testReport) json() error {
	list := make([]testedJSON, len(r.results))
	for i, t := range r.results {
		list[i] = testedJSON{t.Subject, t.Test, len(t.Problems) == 0, orEmpty(t.Problems), t.Score, orEmpty(t.Ledger)}
	}
	return writeJSON(r.out, list)
}

func (r testReport) text() error {
	p := paletteOf(r.out)
	for _, t := range r.results {
		switch {
		case len(t.Problems) > 0:
			fmt.Fprintf(r.out, "%s %s/%s\n", p.paint(red, "FAIL"), t.Subject, t.Test)
			for _, problem := range t.Problems {
				fmt.Fprintf(r.out, "  %s\n", problem)
			}
			fmt.Fprint(r.out, ledgerText(t, terminalWidth(r.out), p))
		case r.verbose:
			fmt.Fprintf(r.out, "%s %s/%s\n", p.paint(green, "ok  "), t.Subject, t.Test)
		}
	}
	failed := r.failed()
	_, err := fmt.Fprintf(r.out, "%d passed, %d failed\n", len(r.results)-failed, failed)
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// ledgerText shows how the score of a test came about.
func ledgerText(t operators.TestResult, width int, p palette) string {
	if len(t.Ledger) == 0 {
		return "  no evidence counts\n"
	}
	return waterfall{lines: t.Ledger, score: t.Score, width: width, palette: p}.String()
}

func writeJUnit(path string, results []operators.TestResult) error {
	text, err := junitOf(results)
	if err != nil {
		return fmt.Errorf("writing JUnit XML: %w", err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("writing JUnit XML: %w", err)
	}
	return nil
}
