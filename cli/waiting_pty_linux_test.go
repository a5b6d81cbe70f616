package cli_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A network that takes long is told of, whatever the command, until it answers.
func TestWaitingForTheNetworkIsTold(t *testing.T) {
	told := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-told
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer slow.Close()
	answer := sync.OnceFunc(func() { close(told) })
	defer answer()
	env := nowhere(t)
	env["KEDGE_NETWORK"] = slow.URL
	s := openScreen(t, 24, 80)
	self, err := os.Executable()
	require.NoError(t, err)
	s.program = &exec.Cmd{
		Path: self, Args: []string{"kedge", "lookup", "--credential-id", "00"}, Stdin: s.device, Stdout: s.device, Stderr: s.device,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true}, Env: append(os.Environ(), "TERM=xterm"),
	}
	for name, value := range env {
		s.program.Env = append(s.program.Env, name+"="+value)
	}
	require.NoError(t, s.program.Start())
	ended := make(chan struct{})
	s.ended = ended
	go func() {
		_ = s.program.Wait()
		close(ended)
	}()
	s.expect("waiting for the network (")
	answer()
	<-ended
	s.readAll()
	require.Equal(t, 4, s.program.ProcessState.ExitCode(), "%s", s)
	require.Contains(t, s.text(), "\r\x1b[Kkedge: error: ")
}
