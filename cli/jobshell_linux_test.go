package cli

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

func init() { commands["jobshell"] = jobShell }

// jobShell runs a program as a shell with job control does: in a process group of its own in the
// foreground. When the program stops, it takes the terminal back, says whether it echoes, and lets the
// program go on.
func jobShell() {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	check(err)
	program := &exec.Cmd{
		Path: os.Args[1], Args: append([]string{"kedge"}, os.Args[2:]...), Stdin: terminal, Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Foreground: true, Ctty: int(terminal.Fd())},
	}
	check(program.Start())
	signal.Ignore(syscall.SIGTTOU) // not before: the program would inherit it
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(program.Process.Pid, &status, syscall.WUNTRACED, nil)
		check(err)
		if !status.Stopped() {
			os.Exit(status.ExitStatus())
		}
		check(unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPGRP, syscall.Getpgrp()))
		attributes, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
		check(err)
		_, _ = fmt.Fprintf(terminal, "[stopped, echo %t]", attributes.Lflag&unix.ECHO != 0)
		check(unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPGRP, program.Process.Pid))
		check(syscall.Kill(-program.Process.Pid, syscall.SIGCONT))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
