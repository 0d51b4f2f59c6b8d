package main

import (
	"encoding/xml"
	"strings"

	"github.com/riskpipe/riskpipe/operators"
)

// The elements of JUnit XML that continuous integration reads: a suite for each
// policy and indicator.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

// junitOf returns the results, which are in the order of their subjects. It holds
// no time: the same policies give the same file.
func junitOf(results []operators.TestResult) ([]byte, error) {
	all := junitSuites{Name: "riskpipe policy test"}
	for _, t := range results {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != t.Subject {
			all.Suites = append(all.Suites, junitSuite{Name: t.Subject})
		}
		suite := &all.Suites[len(all.Suites)-1]
		one := junitCase{Class: t.Subject, Name: t.Test}
		all.Tests++
		suite.Tests++
		if len(t.Problems) > 0 {
			all.Failures++
			suite.Failures++
			one.Failure = &junitFailure{Message: strings.Join(t.Problems, "; "), Text: "\n" + ledgerText(t, 80, false)}
		}
		suite.Cases = append(suite.Cases, one)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}
