package replica_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/journal"
)

// copyDir copies a state directory as a kill would leave it: without asking the process that writes to it.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, e.Name()), content, 0o600)
	}))
	return to
}

// everything is what can be asked of the canisters of the persistence tests.
func everything(t *testing.T, w *world, canisters ...principal.Principal) string {
	t.Helper()
	var out strings.Builder
	for _, id := range canisters {
		status, err := w.Status(ctx, id)
		require.NoError(t, err)
		logs, err := w.Logs(id)
		require.NoError(t, err)
		stable, err := w.StableMemory(id)
		require.NoError(t, err)
		fmt.Fprintf(&out, "%+v %v %x\n", status, logs, stable)
	}
	return out.String()
}

func TestStateSurvives(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, stopped, replica.WithState(dir))
	a, b, u := w.deploy("scenario"), w.deploy("scenario"), w.deploy("upgrade")
	w.call(a, "forward", to(b, "forward", string(to(a, "echo", "x"))))
	_, err := w.Call(ctx, alice, a, "forward_trap", to(b, "echo", ""))
	require.Error(t, err)
	require.NoError(t, w.SetStableMemory(u, []byte{9}))
	require.NoError(t, w.Upgrade(ctx, owner, u, module(t, "upgrade"), nil))
	random := w.call(a, "forward", to(principal.Management, "raw_rand", "DIDL\x00\x00"))
	w.call(a, "certify", []byte("data"))
	hour := binary.LittleEndian.AppendUint64(nil, uint64(w.Time().Add(time.Hour).UnixNano()))
	w.call(b, "set_timer", hour)
	_ = w.manage("take_canister_snapshot", snapshotArgument(u))

	check := func(t *testing.T, dir string) {
		again := newWorld(t, replica.WithTime(w.Time()), replica.WithState(dir))
		require.Equal(t, w.RootKey(), again.RootKey())
		require.Equal(t, everything(t, w, a, b, u), everything(t, again, a, b, u))
		require.Equal(t, w.numbers(a), again.numbers(a))
		require.Equal(t, byte(11), again.upgraded(u)[0])
		require.NotEqual(t, random, again.call(a, "forward", to(principal.Management, "raw_rand", "DIDL\x00\x00")))
		require.NoError(t, again.Advance(ctx, 2*time.Hour))
		require.EqualValues(t, 1, again.numbers(b)[1], "the timer is still set")
		require.NoError(t, again.Close())
	}
	t.Run("killed", func(t *testing.T) { check(t, copyDir(t, dir)) })
	t.Run("closed", func(t *testing.T) {
		killed := copyDir(t, dir)
		check(t, killed) // closing made a checkpoint
		last := newWorld(t, replica.WithTime(w.Time().Add(3*time.Hour)), replica.WithState(killed))
		require.EqualValues(t, 1, last.numbers(b)[1])
		require.Equal(t, "hi", string(last.call(a, "echo", []byte("hi"))))
	})
}

func TestTwoNetworksOneDirectory(t *testing.T) {
	dir := t.TempDir()
	newWorld(t, replica.WithState(dir))
	_, err := replica.Start(replica.WithState(dir))
	require.ErrorContains(t, err, "in use by another network")
}

func TestDamagedLogIsNamed(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, replica.WithState(dir))
	a := w.deploy("scenario")
	w.call(a, "whoami", nil)
	log := filepath.Join(dir, "log-0")
	whole, err := os.ReadFile(log)
	require.NoError(t, err)

	killed := copyDir(t, dir)
	damaged := append([]byte(nil), whole...)
	damaged[len(damaged)/2] ^= 1
	require.NoError(t, os.WriteFile(filepath.Join(killed, "log-0"), damaged, 0o600))
	_, err = replica.Start(replica.WithState(killed))
	var damage *journal.DamageError
	require.ErrorAs(t, err, &damage)
	require.ErrorContains(t, err, "log-0 is damaged at offset")

	require.NoError(t, os.WriteFile(filepath.Join(killed, "log-0"), append(whole, whole[16:19]...), 0o600)) // the beginning of a record
	var report strings.Builder
	again, err := replica.Start(replica.WithState(killed), replica.WithLog(&report))
	require.NoError(t, err)
	require.NoError(t, again.Close())
	require.Contains(t, report.String(), "which was never acknowledged: dropped")
}

// killHelper makes this test binary the process that TestKill kills.
const killHelper = "KEDGE_REPLICA_KILL_HELPER"

// TestKill kills a process in the midst of calls, again and again: no call that it acknowledged is lost.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killHelper); dir != "" {
		countForever(t, dir)
		return
	}
	dir := t.TempDir()
	acknowledged := uint64(0)
	for round := range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestKill$")
		child.Env = append(os.Environ(), killHelper+"="+dir)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(out)
		for target := acknowledged + 30 + uint64(round); acknowledged < target && lines.Scan(); {
			if number, ok := strings.CutPrefix(lines.Text(), "acknowledged "); ok {
				acknowledged, err = strconv.ParseUint(number, 10, 64)
				require.NoError(t, err)
			}
		}
		require.NoError(t, child.Process.Kill())
		_ = child.Wait() // it was killed
	}
	w := newWorld(t, replica.WithState(dir))
	content, err := w.StableMemory(principal.Canister(7))
	require.NoError(t, err)
	require.GreaterOrEqual(t, uint64(binary.LittleEndian.Uint32(content)), acknowledged)
	require.GreaterOrEqual(t, acknowledged, uint64(90))
}

// countForever, or nearly so, counts in stable memory, and says so after each call was acknowledged.
func countForever(t *testing.T, dir string) {
	w := newWorld(t, replica.WithState(dir))
	id := principal.Canister(7)
	if _, err := w.Status(ctx, id); err != nil {
		_, err := w.Create(ctx, owner, replica.CreateOptions{ID: id})
		require.NoError(t, err)
		require.NoError(t, w.Install(ctx, owner, id, module(t, "count"), nil))
	}
	for range 100_000 { // in case nobody kills it
		fmt.Println("acknowledged", binary.LittleEndian.Uint32(w.call(id, "count", nil)))
	}
}
