package pipeline

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// redisProxy stands between the client and Redis. What the client says passes
// through said, which may change it, hold it up, or end the connection.
type redisProxy struct {
	tb       testing.TB
	server   string
	listener net.Listener

	mu sync.Mutex
	// said gets each piece of what a client sends and returns what to pass on.
	said func(piece []byte) (pass []byte, then afterwards)
}

// afterwards is what becomes of the connection when a piece was passed on.
type afterwards int

const (
	goOn       afterwards = iota
	hangUp                // at once
	loseAnswer            // when Redis has answered, without passing the answer on
)

func newRedisProxy(tb testing.TB, server string) *redisProxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &redisProxy{tb: tb, server: server, listener: listener}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { p.serve(client) })
		}
	})
	tb.Cleanup(func() {
		listener.Close()
		connections.Wait()
	})
	return p
}

// interfere sets said; nil lets everything through.
func (p *redisProxy) interfere(said func(piece []byte) ([]byte, afterwards)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = said
}

func (p *redisProxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		p.tb.Errorf("reaching redis: %v", err)
		return
	}
	defer server.Close()
	var answers sync.WaitGroup
	defer answers.Wait()
	var mute sync.Mutex // held while answers are not passed on
	heard := make(chan struct{}, 1)
	muted := false
	answers.Go(func() {
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			mute.Lock()
			lose := muted
			mute.Unlock()
			if lose {
				heard <- struct{}{}
				return
			}
			if _, err2 := client.Write(buf[:n]); err != nil || err2 != nil {
				return
			}
		}
	})
	defer server.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		said := p.said
		p.mu.Unlock()
		pass, then := buf[:n], goOn
		if said != nil {
			pass, then = said(pass)
		}
		if then == loseAnswer {
			mute.Lock()
			muted = true
			mute.Unlock()
		}
		if _, err := io.Copy(server, bytes.NewReader(pass)); err != nil || then == hangUp {
			return
		}
		if then == loseAnswer {
			<-heard
			return
		}
	}
}

// isExec tells a piece that ends a transaction.
func isExec(piece []byte) bool {
	return strings.Contains(strings.ToLower(string(piece)), "\r\nexec\r\n")
}

// onExec does something to the first transaction, and to nothing else.
func onExec(act func(piece []byte) ([]byte, afterwards)) func([]byte) ([]byte, afterwards) {
	var once sync.Once
	return func(piece []byte) (pass []byte, then afterwards) {
		pass, then = piece, goOn
		if isExec(piece) {
			once.Do(func() { pass, then = act(piece) })
		}
		return pass, then
	}
}
