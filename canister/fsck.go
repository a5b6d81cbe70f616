package main

import (
	"errors"

	"kedge/candid"
	"kedge/canister/storage"
	"kedge/cdk"
)

// fsck checks stable memory, as much as one message can, and keeps its place for the next.
func fsck() {
	options, err := candid.DecodeFsckArgs(cdk.Arg())
	must(err)
	report, err := check(options)
	if err != nil {
		cdk.Reply(candid.EncodeFsckResult(candid.FsckResult{Tag: candid.FsckResultTagErr, Err: refusal(err)}))
		return
	}
	cdk.Reply(candid.EncodeFsckResult(candid.FsckResult{Tag: candid.FsckResultTagOk, Ok: report}))
}

func check(options *candid.FsckOptions) (candid.FsckReport, error) {
	if err := onlyController(); err != nil {
		return candid.FsckReport{}, err
	}
	if options == nil {
		options = &candid.FsckOptions{}
	}
	lo, _ := kedge.store.Range()
	budget := within(batchBudget)
	if options.RebuildIndexes && options.From == nil {
		done, err := kedge.store.RebuildIndex(budget)
		must(err)
		if !done {
			// The next call goes on where this one stopped: the place is in stable memory.
			return candid.FsckReport{}, nil
		}
	}
	switch {
	case options.From == nil:
		kedge.checking = storage.Check{}
	case *options.From != lo+kedge.checking.Position:
		return candid.FsckReport{}, badArgument("from", errors.New("no check has come to this anchor since the last upgrade; begin anew, with null"))
	}
	begin := kedge.checking.Position
	more := budget
	if options.Max != nil {
		end := begin + uint64(*options.Max)
		more = func() bool { return kedge.checking.Position < end && budget() }
	}
	done, err := kedge.store.Check(&kedge.checking, more)
	must(err)

	report := candid.FsckReport{Rebuilt: true, Checked: min(kedge.checking.Position, uint64(kedge.store.Count())) - min(begin, uint64(kedge.store.Count()))}
	if !done {
		next := lo + kedge.checking.Position
		report.Next = &next
	}
	for _, f := range kedge.checking.Findings {
		report.Problems = append(report.Problems, candid.FsckReportProblems{Region: f.What, Description: f.Detail})
	}
	kedge.checking.Findings = nil
	return report, nil
}
