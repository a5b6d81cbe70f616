package project

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kedge/internal/fileio"
)

// A network that runs from this folder holds a lock, and its process id is in the locked file. A process
// id alone proves nothing: after a crash it belongs to whatever program the system gave it next.

func runningPath() string { return filepath.Join(Folder(), "network.lock") }

// HoldNetwork takes the lock for this process, for as long as it runs. It says whether it got it.
func HoldNetwork() (release func() error, held bool, err error) {
	if err := Make(); err != nil {
		return nil, false, err
	}
	lock, held, err := fileio.TryLockFile(runningPath())
	if err != nil || !held {
		return nil, false, err
	}
	if err := os.WriteFile(runningPath(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return nil, false, fmt.Errorf("writing the network's process id: %w", err)
	}
	return lock.Unlock, true, nil
}

// NetworkProcess returns the id of the process that runs a network from this folder, or 0 if none does.
func NetworkProcess() (pid int, err error) {
	if _, err := os.Stat(runningPath()); os.IsNotExist(err) {
		return 0, nil
	}
	lock, free, err := fileio.TryLockFile(runningPath())
	if err != nil {
		return 0, err
	}
	if free {
		return 0, lock.Unlock()
	}
	data, err := os.ReadFile(runningPath())
	if err != nil {
		return 0, fmt.Errorf("reading the network's process id: %w", err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(data))); err != nil || pid <= 1 {
		return 0, fmt.Errorf("%s is damaged: it has no process id", runningPath())
	}
	return pid, nil
}
