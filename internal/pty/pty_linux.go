package pty

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Open returns both ends of a new pseudo-terminal of so many rows and columns: what is written to control is typed,
// and what a program writes to device is read from control. The caller closes both.
func Open(rows, columns uint16) (control, device *os.File, err error) {
	control, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	device, err = open(control, rows, columns)
	if err != nil {
		return nil, nil, errors.Join(err, control.Close())
	}
	return control, device, nil
}

func open(control *os.File, rows, columns uint16) (*os.File, error) {
	if err := unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	number, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	device, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlSetWinsize(int(device.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		return nil, errors.Join(err, device.Close())
	}
	return device, nil
}
