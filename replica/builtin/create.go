package builtin

import (
	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// create makes a canister for somebody, on the only subnet that there is.
func (s *session) create(owner principal.Principal, asked *Settings, on *SubnetSelection, balance cycles.Amount) (principal.Principal, *reject.Error) {
	if on != nil && on.Tag == SubnetSelectionTagSubnet && on.Subnet.Subnet != s.Host.Subnet() {
		return principal.Principal{}, reject.New(reject.SubnetNotFound, "Subnet %s does not exist", on.Subnet.Subnet)
	}
	return s.Host.Create(owner, asked.management(), balance)
}

// management gives settings the type of the management canister's interface.
func (s *Settings) management() *management.Settings {
	if s == nil {
		return nil
	}
	out := &management.Settings{
		Controllers: s.Controllers, ComputeAllocation: s.ComputeAllocation, MemoryAllocation: s.MemoryAllocation,
		FreezingThreshold: s.FreezingThreshold, ReservedCyclesLimit: s.ReservedCyclesLimit,
		MinimumIncomingCanisterCallCycles: s.MinimumIncomingCanisterCallCycles,
		LogVisibility:                     s.LogVisibility.management(),
		SnapshotVisibility:                s.SnapshotVisibility.management(),
		StatusVisibility:                  s.StatusVisibility.management(),
		LogMemoryLimit:                    s.LogMemoryLimit, WasmMemoryLimit: s.WasmMemoryLimit, WasmMemoryThreshold: s.WasmMemoryThreshold,
	}
	if s.EnvironmentVariables != nil {
		out.EnvironmentVariables = []management.Variable{}
		for _, v := range s.EnvironmentVariables {
			out.EnvironmentVariables = append(out.EnvironmentVariables, management.Variable(v))
		}
	}
	return out
}

// The cases of both types are in the same order: that of the hashes of their names.
func (v *Visibility) management() *management.Visibility {
	if v == nil {
		return nil
	}
	return &management.Visibility{Tag: management.VisibilityTag(v.Tag), AllowedViewers: v.AllowedViewers}
}
