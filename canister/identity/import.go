package identity

import "kedge/ic/principal"

// Imported is a device record of Internet Identity.
type Imported struct {
	Data
	LastUsed uint64 // ns since the epoch, 0 for none
}

// Import makes an anchor of old records, whatever they are: nothing is left out for breaking a limit or
// a rule. A mark is on a proven device and never lapses; any other device is proven if it has been used.
// Records that share a key are one device, protected if any is: the first is the device, and the
// others are kept as copies. createdAt is in ns since the epoch, 0 where unknown.
func Import(number, createdAt uint64, records []Imported) *Anchor {
	a := &Anchor{Number: number, CreatedAt: createdAt}
	for _, r := range records {
		d := a.byKey(r.PublicKey)
		if d == nil {
			a.Devices = append(a.Devices, Device{Data: r.Data, ID: DeviceID(len(a.Devices)), Principal: principal.SelfAuthenticating(r.PublicKey)})
			d = &a.Devices[len(a.Devices)-1]
		} else {
			a.Copies = append(a.Copies, r.Data)
		}
		d.Protected = d.Protected || r.Protected
		d.LastUsed = max(d.LastUsed, r.LastUsed)
		d.Proven = d.Protected || d.LastUsed != 0
	}
	return a
}
