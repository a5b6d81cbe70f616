package migrations

import "kedge/canister/storage"

// Step 2 takes records from version 2 to 3, which has recovery contacts and who agrees to them.
//
// Back, it drops the contacts of an anchor only if the controller names that loss.
var records3 = Step{
	Number: 2,
	Name:   "records of version 3, with recovery contacts",
	From:   storage.Layout2,
	Up:     (*storage.Store).Rewrite,
	Down:   (*storage.Store).Rewrite,
	Loses: func(s *storage.Store, number uint64) (storage.Loss, error) {
		a, err := s.Read(number)
		if err != nil {
			return 0, err
		}
		return storage.LossOf(a, storage.Layout2), nil
	},
}
