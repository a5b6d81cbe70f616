package replica

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"slices"
	"strings"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/replica/management"
	"kedge/replica/reject"
)

// Limits of settings.
const (
	maxMemoryAllocation = 500<<30 + 4<<30
	maxWasmMemory       = 1 << 48
	minLogLimit         = 4096
)

func updateSettings(m *managementCall, c *canister, a management.UpdateSettingsArg) ([]byte, *reject.Error) {
	s := c.settings
	if err := s.apply(&a.Settings); err != nil {
		return nil, err
	}
	c.settings = s
	c.version++
	c.logs.trim(s.logMemoryLimit)
	m.watchMemory(c)
	if a.Settings.Controllers != nil {
		by := m.by(a.SenderCanisterVersion)
		by.kind, by.controllers = changeControllers, s.controllers
		m.record(c, by)
		m.touchCanister(c.id)
	}
	return emptyReply, nil
}

// apply changes the settings that are asked for; if one of them is refused, the settings are not to be used.
func (s *settings) apply(a *management.Settings) *reject.Error {
	if a.Controllers != nil {
		if len(a.Controllers) > maxControllers {
			return invalid("The number of controllers is %d, at most %d are allowed", len(a.Controllers), maxControllers)
		}
		s.controllers = unique(a.Controllers)
	}
	for _, field := range []struct {
		asked **big.Int
		to    *uint64
		name  string
		most  uint64
	}{
		{a.ComputeAllocation, &s.computeAllocation, "ComputeAllocation", 100},
		{a.MemoryAllocation, &s.memoryAllocation, "MemoryAllocation", maxMemoryAllocation},
		{a.FreezingThreshold, &s.freezingThreshold, "FreezingThreshold", 1<<64 - 1},
		{a.LogMemoryLimit, &s.logMemoryLimit, "LogMemoryLimit", maxLogLimit},
		{a.WasmMemoryLimit, &s.wasmMemoryLimit, "WasmMemoryLimit", maxWasmMemory},
		{a.WasmMemoryThreshold, &s.wasmMemoryThreshold, "WasmMemoryThreshold", 1<<64 - 1},
	} {
		if field.asked == nil {
			continue
		}
		value, err := small(*field.asked, field.name, field.most)
		if err != nil {
			return err
		}
		*field.to = value
	}
	if s.logMemoryLimit != 0 && s.logMemoryLimit < minLogLimit {
		return invalid("LogMemoryLimit expected to be 0 or in the range [%d..%d], got %d", minLogLimit, maxLogLimit, s.logMemoryLimit)
	}
	if a.ReservedCyclesLimit != nil {
		s.reservedCyclesLimit = cycles.FromBig(*a.ReservedCyclesLimit)
	}
	if a.MinimumIncomingCanisterCallCycles != nil {
		s.minimumIncomingCycles = cycles.FromBig(*a.MinimumIncomingCanisterCallCycles)
	}
	setVisibility(&s.logVisibility, a.LogVisibility)
	setVisibility(&s.snapshotVisibility, a.SnapshotVisibility)
	setVisibility(&s.statusVisibility, a.StatusVisibility)
	return s.applyEnvironment(a.EnvironmentVariables)
}

// unique removes repetitions, keeping order.
func unique(list []principal.Principal) []principal.Principal {
	var out []principal.Principal
	for _, p := range list {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// applyEnvironment replaces the environment variables, if any are given; they are kept ordered by name.
func (s *settings) applyEnvironment(asked []management.Variable) *reject.Error {
	if asked == nil {
		return nil
	}
	if len(asked) > maxVariables {
		return invalid("Too many environment variables: %d, at most %d are allowed", len(asked), maxVariables)
	}
	variables := make([]exec.Variable, 0, len(asked))
	for _, v := range asked {
		switch {
		case len(v.Name) > exec.MaxVariableName:
			return invalid("The name of the environment variable %q has %d bytes, at most %d are allowed", v.Name, len(v.Name), exec.MaxVariableName)
		case len(v.Value) > exec.MaxVariableName:
			return invalid("The value of the environment variable %q has %d bytes, at most %d are allowed", v.Name, len(v.Value), exec.MaxVariableName)
		}
		// The argument's memory is not ours to keep.
		variables = append(variables, exec.Variable{Name: strings.Clone(v.Name), Value: strings.Clone(v.Value)})
	}
	slices.SortFunc(variables, func(a, b exec.Variable) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(variables); i++ {
		if variables[i].Name == variables[i-1].Name {
			return invalid("Duplicate environment variables are not allowed: %q", variables[i].Name)
		}
	}
	s.environment = variables
	return nil
}

// environmentHash is the hash of the environment variables as the history has it: of the hashes of name
// and value of each, in order. It is nil if there are none.
func (s *settings) environmentHash() []byte {
	if len(s.environment) == 0 {
		return nil
	}
	var pairs [][]byte
	for _, v := range s.environment {
		name, value := sha256.Sum256([]byte(v.Name)), sha256.Sum256([]byte(v.Value))
		pairs = append(pairs, append(name[:], value[:]...))
	}
	slices.SortFunc(pairs, bytes.Compare)
	sum := sha256.Sum256(bytes.Join(pairs, nil))
	return sum[:]
}

func setVisibility(to *visibility, asked *management.Visibility) {
	if asked == nil {
		return
	}
	switch asked.Tag {
	case management.VisibilityTagPublic:
		*to = visibility{public: true}
	case management.VisibilityTagAllowedViewers:
		*to = visibility{named: true, viewers: asked.AllowedViewers}
	default:
		*to = visibility{}
	}
}

func (v visibility) encode() management.Visibility {
	switch {
	case v.public:
		return management.Visibility{Tag: management.VisibilityTagPublic}
	case v.named:
		return management.Visibility{Tag: management.VisibilityTagAllowedViewers, AllowedViewers: v.viewers}
	}
	return management.Visibility{Tag: management.VisibilityTagControllers}
}

func (s *settings) encode() management.DefiniteSettings {
	out := management.DefiniteSettings{
		Controllers:                       s.controllers,
		ComputeAllocation:                 nat(s.computeAllocation),
		MemoryAllocation:                  nat(s.memoryAllocation),
		FreezingThreshold:                 nat(s.freezingThreshold),
		ReservedCyclesLimit:               s.reservedCyclesLimit.Big(),
		MinimumIncomingCanisterCallCycles: s.minimumIncomingCycles.Big(),
		LogVisibility:                     s.logVisibility.encode(),
		SnapshotVisibility:                s.snapshotVisibility.encode(),
		StatusVisibility:                  s.statusVisibility.encode(),
		LogMemoryLimit:                    nat(s.logMemoryLimit),
		WasmMemoryLimit:                   nat(s.wasmMemoryLimit),
		WasmMemoryThreshold:               nat(s.wasmMemoryThreshold),
	}
	for _, v := range s.environment {
		out.EnvironmentVariables = append(out.EnvironmentVariables, management.Variable{Name: v.Name, Value: v.Value})
	}
	return out
}

func nat(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
