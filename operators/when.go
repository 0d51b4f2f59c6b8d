package operators

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

const (
	// maxExpression bounds the text of an expression.
	maxExpression = 1024
	// maxCost is the greatest cost of one evaluation by CEL's own estimate. A
	// unit is about one step, some tens of nanoseconds. One walk over a list with
	// comparisons costs a few thousand; a walk inside a walk, whose time would be
	// the square of what an event brings along, hundreds of thousands.
	maxCost = 10_000
	// textSize and listSize are the sizes that the estimate assumes: the longest
	// text and list that real events have.
	textSize = 128
	listSize = 64
)

// expressions compiles the when of indicators: CEL over the fields as typed
// variables, such as file.size > 1048576 && "IBAN" in file.sensitive_types.
// What is absent is 0, "", false or an empty list.
type expressions struct{ environment *cel.Env }

// newExpressions declares the variables.
func newExpressions() (*expressions, error) {
	options := []cel.EnvOption{cel.ParserRecursionLimit(32), cel.ParserExpressionSizeLimit(maxExpression)}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		options = append(options, cel.Variable(name, fields[name].kind.celType()))
	}
	environment, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("declaring the variables of expressions: %w", err)
	}
	return &expressions{environment: environment}, nil
}

func (k fieldKind) celType() *cel.Type {
	switch k {
	case kindText:
		return cel.StringType
	case kindTruth:
		return cel.BoolType
	case kindList:
		return cel.ListType(cel.StringType)
	case kindHashes:
		return cel.ListType(cel.IntType)
	default:
		return cel.IntType
	}
}

// compile checks the expression's types and cost. Errors show the expression
// with a caret.
func (e *expressions) compile(text string) (condition, error) {
	source := common.NewStringSource(text, "when")
	checked, issues := e.environment.CompileSource(source)
	if issues.Err() != nil {
		return nil, fmt.Errorf("is no CEL expression over an event:\n%w", issues.Err())
	}
	issues = cel.NewIssuesWithSourceInfo(common.NewErrors(source), checked.NativeRep().SourceInfo())
	for _, call := range ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), ast.FunctionMatcher("matches")) {
		issues.ReportErrorAtID(call.ID(), "regular expressions have no bound here: use select with the modifier re")
	}
	if checked.OutputType() != cel.BoolType {
		issues.ReportErrorAtID(checked.NativeRep().Expr().ID(), "want true or false, the expression is of type %s", checked.OutputType())
	}
	if issues.Err() != nil {
		return nil, fmt.Errorf("is not allowed:\n%w", issues.Err())
	}
	estimate, err := e.environment.EstimateCost(checked, costSizes{})
	if err != nil {
		return nil, fmt.Errorf("estimating the cost: %w", err)
	}
	if estimate.Max > maxCost {
		return nil, fmt.Errorf("may cost %d steps for one event, up to %d are allowed: do not walk a list inside a walk", estimate.Max, maxCost)
	}
	program, err := e.environment.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("planning the evaluation: %w", err)
	}
	return func(s *subject) bool {
		// What was checked can still divide by zero or overflow: then it does
		// not hold.
		value, _, err := program.Eval(celActivation{s})
		return err == nil && value == types.True
	}, nil
}

// costSizes tells the estimate how large variables get.
type costSizes struct{}

func (costSizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	var size cost.SizeEstimate
	switch node.Type().Kind() {
	case types.ListKind:
		size = cost.RangedSizeEstimate(0, listSize)
	case types.StringKind:
		size = cost.RangedSizeEstimate(0, textSize)
	default:
		return nil
	}
	return &size
}

func (costSizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// celActivation reads the variables straight from the subject.
type celActivation struct{ subject *subject }

// ResolveName returns the value of a field.
func (a celActivation) ResolveName(name string) (any, bool) {
	f, known := fields[strings.TrimPrefix(name, ".")]
	if !known {
		return nil, false
	}
	switch f.kind {
	case kindText:
		return types.String(f.text(a.subject)), true
	case kindTruth:
		value, _ := f.truth(a.subject)
		return types.Bool(value), true
	case kindList:
		return types.NewStringList(types.DefaultTypeAdapter, f.list(a.subject)), true
	case kindHashes:
		return types.NewDynamicList(types.DefaultTypeAdapter, f.hashes(a.subject)), true
	default:
		return types.Int(f.number(a.subject)), true
	}
}

// Parent returns nothing: there is no outer scope.
func (celActivation) Parent() interpreter.Activation { return nil }
