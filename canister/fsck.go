package canister

import (
	"errors"

	"kedge/candid/kedge"
	"kedge/canister/storage"
	"kedge/cdk"
)

// fsck checks stable memory, as much as one message can, and keeps its place for the next.
func fsck() {
	options, err := kedge.DecodeFsckArgs(cdk.Arg())
	must(err)
	report, err := check(options)
	if err != nil {
		cdk.Reply(kedge.EncodeFsckResult(kedge.FsckResult{Tag: kedge.FsckResultTagErr, Err: refusal(err)}))
		return
	}
	cdk.Reply(kedge.EncodeFsckResult(kedge.FsckResult{Tag: kedge.FsckResultTagOk, Ok: report}))
}

func check(options *kedge.FsckOptions) (kedge.FsckReport, error) {
	if err := onlyController(); err != nil {
		return kedge.FsckReport{}, err
	}
	if options == nil {
		options = &kedge.FsckOptions{}
	}
	lo, _ := state.store.Range()
	budget := budgetOf(batchBudget)
	if options.RebuildIndexes && options.From == nil {
		done, err := state.store.RebuildIndex(budget)
		must(err)
		if !done {
			// The next call goes on where this one stopped: the place is in stable memory.
			return kedge.FsckReport{}, nil
		}
	}
	switch {
	case options.From == nil:
		state.checking = storage.Check{}
	case *options.From != lo+state.checking.Position:
		return kedge.FsckReport{}, badArgument("from", errors.New("no check has come to this anchor since the last upgrade; begin anew, with null"))
	}
	begin := state.checking.Position
	more := budget
	if options.Max != nil {
		end := begin + uint64(*options.Max)
		more = func() bool { return state.checking.Position < end && budget() }
	}
	done, err := state.store.Check(&state.checking, more)
	must(err)

	report := kedge.FsckReport{Rebuilt: true, Checked: min(state.checking.Position, uint64(state.store.Count())) - min(begin, uint64(state.store.Count()))}
	if !done {
		next := lo + state.checking.Position
		report.Next = &next
	}
	for _, f := range state.checking.Findings {
		report.Problems = append(report.Problems, kedge.FsckReportProblems{Region: f.What, Description: f.Detail})
	}
	state.checking.Findings = nil
	return report, nil
}
