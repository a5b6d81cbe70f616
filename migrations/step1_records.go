package migrations

import "kedge/canister/storage"

// Step 1 takes records from version 1 to 2, which has the guard, consents and releases, demands, session
// limits, attestations and registration mode, and builds the index. The record formats are drawn in
// package storage and its units.
//
// Back, it drops what record version 1 has no room for: guard, consents and demands only if the
// controller names that loss; times of adding, attestations, open registration modes, temporary keys and
// the histories silently, as they protect nothing.
var records2 = Step{
	Number: 1,
	Name:   "records of version 2, histories, index",
	From:   storage.Layout1,
	Up:     (*storage.Store).Rewrite,
	Down:   (*storage.Store).Rewrite,
	Loses: func(s *storage.Store, number uint64) (storage.Loss, error) {
		a, err := s.Read(number)
		if err != nil {
			return 0, err
		}
		return storage.LossOf(a, storage.Layout1), nil
	},
}
