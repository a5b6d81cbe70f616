package production_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	replicaexec "kedge/replica/exec"
)

// kedgeCalls are calls of Kedge with the instructions that production executed for them.
type kedgeCalls struct {
	ModuleSHA256 string `json:"module_sha256"`
	Steps        []step
}

// kedgeCommit is the commit whose module was measured.
const kedgeCommit = "8e9ab05"

// kedgeModule returns the module that was measured: the file that KEDGE_PRODUCTION_MODULE names, or what the
// sources of that time are built to.
func kedgeModule(t *testing.T, sum string) []byte {
	file := os.Getenv("KEDGE_PRODUCTION_MODULE")
	if file == "" {
		dir := t.TempDir()
		pack := exec.Command("git", "archive", kedgeCommit)
		pack.Dir = filepath.Join("..", "..") // git archives the folder that it runs in
		archive, err := pack.Output()
		if err != nil {
			t.Skipf("the module is built from commit %s, which is not here: %v", kedgeCommit, err)
		}
		unpack := exec.Command("tar", "-x", "-C", dir)
		unpack.Stdin = bytes.NewReader(archive)
		require.NoError(t, unpack.Run())
		file = filepath.Join(dir, "kedge.wasm.gz")
		build := exec.Command("go", "run", "./cdk/icbuild", "-o", file, "-candid", "candid/kedge.did", "-args", "(opt KedgeInit)", "./canister")
		build.Dir = dir
		out, err := build.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	code, err := os.ReadFile(file)
	require.NoError(t, err)
	if got := sha256.Sum256(code); hex.EncodeToString(got[:]) != sum {
		t.Skipf("%s gives another module than was measured: it was built by Go 1.26", file)
	}
	return code
}

// Every call of Kedge takes as many instructions as on production.
func TestKedge(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a module of Kedge")
	}
	raw, err := os.ReadFile(filepath.Join("testdata", "kedge-calls.json"))
	if name := filepath.Join(vectorFolder(), "kedge-calls.json"); err != nil {
		raw, err = os.ReadFile(name)
	}
	require.NoError(t, err)
	var calls kedgeCalls
	require.NoError(t, json.Unmarshal(raw, &calls))
	code := kedgeModule(t, calls.ModuleSHA256)

	p := newPlayer(t, t.TempDir())
	p.modules["kedge"] = code
	rows := 0
	var differences []difference
	for i := range calls.Steps {
		s := &calls.Steps[i]
		instructions, err := p.measure(s)
		require.NoError(t, err, "step %d: %s %s", i, s.Method, s.Note)
		if s.ProductionInstructions == nil {
			continue
		}
		rows++
		if instructions != *s.ProductionInstructions {
			differences = append(differences, difference{i, "instructions", instructions, *s.ProductionInstructions})
		}
	}
	t.Logf("%d of %d rows are equal", rows-len(differences), rows)
	allowedDifferences(t)["kedge"].check(t, differences)
}

// countRest runs the rounds behind a call and counts what is executed in them, too: the measured instructions are
// those of all executions that a step led to, timers included.
func (p *player) countRest(o *outcome, before map[replicaexec.Kind]replicaexec.Report) {
	const rounds = 5
	for range rounds {
		p.Tick(p.ctx)
	}
	o.report = replicaexec.Report{}
	o.count(before, p.Executed(), replicated)
}

// measure does a step and returns the instructions that were executed.
func (p *player) measure(s *step) (uint64, error) {
	switch s.Op {
	case "query":
		o, err := p.query(s)
		if err != nil {
			return 0, err
		}
		return o.report.Instructions, nil
	case "advance":
		before := p.Executed()
		err := p.Advance(p.ctx, time.Duration(s.NS))
		var o outcome
		o.count(before, p.Executed(), replicated)
		return o.report.Instructions, err
	case "update":
		before := p.Executed()
		o, err := p.update(s, false)
		if err != nil {
			return 0, err
		}
		if s.To != "" {
			p.countRest(o, before)
		}
		if s.Save != "" {
			take := s.Take
			if take == 0 {
				take = 10 // a canister
			}
			if err := p.keep(s.Save, o.reply[len(o.reply)-take:]); err != nil {
				return 0, err
			}
		}
		if s.Method == "install_code" {
			base := replicaexec.ExecutionCost(0).Big().Int64()
			return uint64(o.spent["k"] - base), nil // an instruction is a cycle
		}
		return o.report.Instructions, nil
	}
	return 0, nil
}
