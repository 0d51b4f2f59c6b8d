package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/vault/server"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

// vaultClient talks to a vault that is served.
type vaultClient struct {
	base  string
	token Secret
	http  *http.Client
}

func (c RevealConfig) client() (*vaultClient, error) {
	if c.Token == "" {
		return nil, &exitError{exitConfig, errors.New("no token for the vault: set reveal.token_file (RISKPIPE_REVEAL_TOKEN_FILE), or reveal.token")}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13}
	if c.TLS.Enabled {
		var err error
		if config, err = c.TLS.config(); err != nil {
			return nil, &exitError{exitConfig, fmt.Errorf("reveal.tls: %w", err)}
		}
	}
	return &vaultClient{base: strings.TrimSuffix(c.URL, "/"), token: c.Token, http: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true},
		// The token is for this server and no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// call sends a body, or none when it is nil, and reads the answer into answer.
func (c *vaultClient) call(ctx context.Context, method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("asking the vault: %w", err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return fmt.Errorf("asking the vault: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+string(c.token))
	request.Header.Set("User-Agent", "riskpipe/"+versionText())
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return &exitError{exitUnreachable, fmt.Errorf("asking the vault: %w", err)}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return &exitError{exitUnreachable, fmt.Errorf("reading the vault's answer: %w", err)}
	}
	if response.StatusCode >= 300 {
		return problemError(response.StatusCode, text)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("reading the vault's answer: %w", err)
	}
	return nil
}

// problemError tells what the vault objects to.
func problemError(status int, text []byte) error {
	var problem server.Problem
	if err := json.Unmarshal(text, &problem); err != nil || problem.Title == "" {
		return fmt.Errorf("the vault answered with status %d; is reveal.url a vault's?", status)
	}
	return fmt.Errorf("the vault answered %d %s: %s", status, problem.Title, problem.Detail)
}
