package ui

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes of the process. They are part of the interface: scripts branch on them.
const (
	ExitFailed      = 1 // the command could not do what was asked
	ExitUsage       = 2 // unknown command or flag, an argument that makes no sense
	ExitNetwork     = 3 // the network cannot be reached, or its answer cannot be trusted
	ExitRefused     = 4 // the canister or the network refused
	ExitSecret      = 5 // wrong passphrase, wrong recovery phrase, or nobody there to ask for them
	ExitNotAsked    = 6 // a question was answered with no, or nobody was there to answer it
	ExitNotAccepted = 7 // a project names a network or canister that was not accepted yet

	ExitInterrupted = 130 // by Ctrl-C or a signal, as shells count it
)

// ExitCodes is the table of exit codes, as help shows it.
const ExitCodes = `  0    done
  1    the command could not do what was asked
  2    unknown command or flag, or an argument that makes no sense
  3    the network cannot be reached, or its answer cannot be trusted
  4    the canister or the network refused
  5    wrong passphrase or recovery phrase, or no terminal to ask for them
  6    a question was answered with no, or nobody was there to answer it
  7    the project names a network or canister that you have not accepted yet
  130  interrupted`

// Error is an error with what to do next and the exit code that it asks for.
type Error struct {
	Err  error
	Hint string // a command or a sentence, may be empty
	Code int    // 0: by the kind of Err
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hinted adds what to do next to an error.
func Hinted(err error, format string, args ...any) error {
	return &Error{Err: err, Hint: fmt.Sprintf(format, args...)}
}

// Usagef is an error of the kind that reading the help mends.
func Usagef(format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Code: ExitUsage}
}

// Secretf is an error about a passphrase or a recovery phrase.
func Secretf(hint, format string, args ...any) error {
	return &Error{Err: fmt.Errorf(format, args...), Hint: hint, Code: ExitSecret}
}

// Failure is how a command failed, as --json prints it on standard error: {"error": Failure}.
type Failure struct {
	Code    string `json:"code"` // what kind of failure it is, for programs: stable
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // the next thing to do
	Exit    int    `json:"exit"`           // the exit code of the process
}

// Fail prints how a command failed. The line of an error or a warning names its kind; it has no
// capitals and no full stop. A hint is the next thing to do.
func (u *UI) Fail(f Failure) {
	f.Message, f.Hint = message(f.Message), message(f.Hint)
	if u.JSON {
		if line, err := JSONLine(map[string]Failure{"error": f}); err == nil {
			_, _ = fmt.Fprintf(u.Stderr, "%s\n", line)
			return
		}
	}
	_, _ = fmt.Fprintf(u.Stderr, "kedge: error: %s\n", u.encoded(u.Stderr, f.Message))
	if f.Hint != "" {
		_, _ = fmt.Fprintf(u.Stderr, "kedge: hint: %s\n", u.encoded(u.Stderr, f.Hint))
	}
}

// message makes a message fit for standard error: nothing that steers a terminal, and no secret.
func message(text string) string { return Harmless(Redact(text)) }

// Note prints a line that is not the result, for a person to read. With --json it is the same: only a failure
// is JSON, and then the last line on standard error.
func (u *UI) Note(format string, args ...any) {
	_, _ = fmt.Fprintf(u.Stderr, "kedge: %s\n", u.encoded(u.Stderr, message(fmt.Sprintf(format, args...))))
}

// Warn prints something that a person should look at although the command goes on.
func (u *UI) Warn(format string, args ...any) {
	_, _ = fmt.Fprintf(u.Stderr, "kedge: warning: %s\n", u.encoded(u.Stderr, message(fmt.Sprintf(format, args...))))
}

// Visit calls found for each [Error] that err wraps, outermost first, until it returns true.
func Visit(err error, found func(*Error) bool) (done bool) {
	if c, ok := err.(*Error); ok && found(c) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return Visit(e.Unwrap(), found)
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			if Visit(part, found) {
				return true
			}
		}
	}
	return false
}

// noWords refuses arguments that are words of a recovery phrase, and names none of them.
func noWords(args []string) error {
	if joined := strings.Join(args, " "); Redact(joined) != joined {
		return &Error{
			Err: errors.New("the arguments are words of a recovery phrase, which is asked for and never given as an argument"), Code: ExitUsage,
			Hint: "--as phrase asks for it; take the words out of the history of the shell",
		}
	}
	return nil
}

// Group returns a command that only has other commands below it.
func Group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := noWords(args); err != nil {
				return err
			}
			if len(args) > 0 {
				return UnknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}
