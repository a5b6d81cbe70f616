package replica

import "errors"

func (n *Network) serve() error { return errors.New("no HTTP yet") }

// URL returns where the network serves HTTP, for instance "http://127.0.0.1:4943"; it is empty if it does
// not.
func (n *Network) URL() string {
	if n.listener == nil {
		return ""
	}
	return "http://" + n.listener.Addr().String()
}
