package exec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kedge/wasm"
)

// maxFrames is the most functions that a backtrace names, innermost first.
const maxFrames = 20

// injectedImports is how many functions production's instrumentation imports: it shifts the indices that
// functions without a name are told by.
const injectedImports = 5

// symbols is what names the functions of a module in a backtrace.
type symbols struct {
	names    map[uint32]string // by index in the module as it was uploaded
	imported uint32            // functions that it imports
	defined  uint32            // functions of its own
	added    uint32            // functions that the meter imports
}

func symbolsOf(original, instrumented *wasm.Module) symbols {
	s := symbols{imported: uint32(original.Imported(wasm.KindFunction)), defined: uint32(len(original.Functions))}
	s.added = uint32(instrumented.Imported(wasm.KindFunction)) - s.imported
	if names, err := original.Names(); err == nil { // broken names are no names
		s.names = names.Functions
	}
	return s
}

// frame is a line of the engine's stack trace: a function of the module, which has no name there because
// the instrumented module has no name section, or one of ours.
var frame = regexp.MustCompile(`^\s*(?:\.\$(\d+)|ic0\.(\w+))\(`)

// backtrace renders the engine's stack trace as production does: the functions that were active, if any of them
// has a name. It is empty or ends with a new line.
func (s *symbols) backtrace(err error) string {
	_, trace, ok := strings.Cut(err.Error(), "wasm stack trace:")
	if !ok {
		return ""
	}
	var frames []string
	named := false
	for line := range strings.Lines(trace) {
		match := frame.FindStringSubmatch(line)
		if match == nil || len(frames) == maxFrames {
			continue
		}
		if name := match[2]; name != "" {
			// Production has stable memory in the module; other system calls are no functions of it.
			if strings.HasPrefix(name, "stable") {
				frames, named = append(frames, name), true
			}
			continue
		}
		index, _ := strconv.ParseUint(match[1], 10, 32)
		own := uint32(index) - s.added
		if uint32(index) < s.added || own < s.imported || own >= s.imported+s.defined {
			continue // the meter's
		}
		if name := s.names[own]; name != "" {
			frames, named = append(frames, name), true
		} else {
			frames = append(frames, fmt.Sprintf("unknown function at index %d", own+injectedImports))
		}
	}
	if !named {
		return ""
	}
	return "\nCanister Backtrace:\n" + strings.Join(frames, "\n") + "\n"
}
