package production_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
)

// scenario is a sequence of steps that was run on the production execution code.
type scenario struct {
	Name  string
	Steps []step
}

// step is one thing that was done. In arguments and replies {c} stands for the canister with the name c, in
// hexadecimal, and {code:m} for the length and the bytes of the module m; in texts {c} is the canister's
// id as text.
type step struct {
	Op     string // code, update, query, advance, tick, state, logs
	To     string // empty for the management canister
	Method string
	As     string
	Arg    string
	Note   string
	// ArgSize is the number of zeros that stand for an argument that is too long to be written down.
	ArgSize int `json:"arg_size"`

	Name, Hex, SHA256 string // of code
	Size              int

	NS uint64 // of advance
	N  int    // of tick

	Expect json.RawMessage

	// Of the calls of Kedge.
	Save                   string
	Take                   int
	ProductionInstructions *uint64 `json:"production_instructions"`
}

// expectation is what production answered to an update or a query.
type expectation struct {
	Phase        string
	Reply        *string
	ReplySize    *int `json:"reply_size"`
	Decoded      json.RawMessage
	RejectCode   int               `json:"reject_code"`
	ErrorCode    string            `json:"error_code"`
	Message      string            `json:"message"`
	Instructions *uint64           `json:"instructions"`
	Cycles       map[string]int64  `json:"cycles_beside_ingress"`
	Pages        map[string]uint64 `json:"pages"`
}

// memoryState is what production told of a canister.
type memoryState struct {
	MemoryUsage int64  `json:"memory_usage"`
	Version     uint64 `json:"version"`
}

// vectorFolder is where the scenarios are.
func vectorFolder() string {
	if dir := os.Getenv("KEDGE_PRODUCTION_VECTORS"); dir != "" {
		return dir
	}
	return "testdata"
}

// loadScenarios reads every file of the folder that holds scenarios.
func loadScenarios(t *testing.T) []scenario {
	files, err := filepath.Glob(filepath.Join(vectorFolder(), "*.json"))
	require.NoError(t, err)
	var all []scenario
	for _, name := range files {
		raw, err := os.ReadFile(name)
		require.NoError(t, err)
		var file struct{ Scenarios []scenario }
		require.NoError(t, json.Unmarshal(raw, &file), name)
		all = append(all, file.Scenarios...)
	}
	require.NotEmpty(t, all, "no scenarios in %q", vectorFolder())
	return all
}

// module returns the module of a code step; nil if it is not written down and cannot be made.
func (s *step) module() []byte {
	if s.Hex != "" {
		code, err := hex.DecodeString(s.Hex)
		if err != nil {
			return nil
		}
		return code
	}
	for _, make := range []func(size int) []byte{nops, emptyFunctions, branches, wideTable} {
		for n := max(0, s.Size-60); n <= s.Size; n++ {
			code := make(n)
			if len(code) > s.Size {
				break
			}
			if sum := sha256.Sum256(code); len(code) == s.Size && hex.EncodeToString(sum[:]) == s.SHA256 {
				return code
			}
		}
	}
	return nil
}

// assemble puts a module of one type and so many functions together.
func assemble(params []byte, functions int, body []byte) []byte {
	code := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, count int, entries []byte) {
		content := append(wasm.AppendULEB(nil, uint64(count)), entries...)
		code = append(code, id)
		code = wasm.AppendULEB(code, uint64(len(content)))
		code = append(code, content...)
	}
	section(1, 1, append(append([]byte{0x60, byte(len(params))}, params...), 0))
	section(3, functions, make([]byte, functions))
	sized := append(wasm.AppendULEB(nil, uint64(len(body))), body...)
	section(10, functions, bytes.Repeat(sized, functions))
	return code
}

// nops is a module with one function of n instructions that do nothing.
func nops(n int) []byte {
	return assemble(nil, 1, append(append([]byte{0}, bytes.Repeat([]byte{1}, n)...), 0x0b))
}

// emptyFunctions is a module with empty functions, 4 bytes each.
func emptyFunctions(n int) []byte { return assemble(nil, n/4, []byte{0, 0x0b}) }

// branches is a module with one function of conditionals, 6 bytes each.
func branches(n int) []byte {
	unit := []byte{0x20, 0, 0x04, 0x40, 1, 0x0b}
	return assemble([]byte{0x7f}, 1, append(append([]byte{0}, bytes.Repeat(unit, n/6)...), 0x0b))
}

// wideTable is a module with one function with a br_table of n targets.
func wideTable(n int) []byte {
	body := wasm.AppendULEB([]byte{0, 0x02, 0x40, 0x20, 0, 0x0e}, uint64(n))
	return assemble([]byte{0x7f}, 1, append(append(body, make([]byte, n+1)...), 0x0b, 0x0b))
}
