package operators

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
)

//go:embed policies/*.yaml
var templates embed.FS

// Templates returns the policies that ship with riskpipe, in the order of
// their file names.
func Templates() ([]Policy, error) {
	return LoadPolicies(templates, "policies")
}

// LoadPolicies reads every .yaml file of the folder, in the order of the file
// names, and reports the problems of all of them at once.
func LoadPolicies(files fs.FS, folder string) ([]Policy, error) {
	names, err := fs.Glob(files, path.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing policies in %s: %w", folder, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("listing policies in %s: no .yaml file there", folder)
	}
	var (
		policies []Policy
		problems []error
		seen     = map[string]string{}
	)
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			problems = append(problems, fmt.Errorf("reading policy %s: %w", name, err))
			continue
		}
		p, err := ParsePolicy(name, text)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if other, twice := seen[p.Name]; twice {
			problems = append(problems, fmt.Errorf("policy name %s is used by %s and %s", p.Name, other, name))
		}
		seen[p.Name] = name
		policies = append(policies, p)
	}
	return policies, errors.Join(problems...)
}
