package replica

import (
	"io"
	"net"
	"net/http"
	"time"

	"kedge/replica/exec"
)

// Option is a choice made when a network starts.
type Option func(*options)

// options are the settings of a network.
type options struct {
	Listen   string
	Listener net.Listener
	CacheDir string
	Pages    exec.PageModel
	Log      io.Writer
	Time     time.Time // controlled if not zero
	StateDir string
	Sync     bool
	Unfunded bool

	RateLimit bool
	Random    io.Reader // of keys and seeds; nil for the system's

	Outcalls      bool
	OutcallClient *http.Client // nil for one of the standard library
}

// WithListen serves HTTP on an address such as "127.0.0.1:0". Without it the network has no HTTP.
func WithListen(address string) Option { return func(o *options) { o.Listen = address } }

// WithListener serves HTTP on a listener that is open already, and closes it in the end, or when Start fails.
func WithListener(l net.Listener) Option { return func(o *options) { o.Listener = l } }

// WithCache keeps compiled modules in a directory, so that a module is compiled once and for all runs. A directory
// that cannot be used is said in the log, and done without.
func WithCache(dir string) Option { return func(o *options) { o.CacheDir = dir } }

// WithPageModel chooses what touching a page costs; the default is exec.Pages2026.
func WithPageModel(m exec.PageModel) Option { return func(o *options) { o.Pages = m } }

// WithLog writes what canisters print, and why they trap, to w.
func WithLog(w io.Writer) Option { return func(o *options) { o.Log = w } }

// WithTime stops the clock at a time. It then moves by [Network.SetTime] and [Network.Advance] alone,
// and by a nanosecond a round.
func WithTime(t time.Time) Option { return func(o *options) { o.Time = t } }

// WithRandom draws the network's keys and all randomness of its rounds from r instead of the system.
// With a fixed r and WithTime, a network that gets the same calls does the same.
func WithRandom(r io.Reader) Option { return func(o *options) { o.Random = r } }

// WithState keeps the network's state, keys included, in a directory: whatever was acknowledged is there
// again when a network is started with it, even if the process was killed.
func WithState(dir string) Option { return func(o *options) { o.StateDir = dir } }

// WithSync makes every round wait for the disk, so that the state directory survives the death of the
// machine too, not only that of the process.
func WithSync() Option { return func(o *options) { o.Sync = true } }

// WithOutcalls lets canisters make HTTP outcalls, by http_request of the management canister, which is refused
// otherwise. The replies are those of this one node: nothing is compared. The client may be nil for one of the
// standard library; its timeout, if it has one, takes the place of 30 seconds; it follows no redirects.
func WithOutcalls(client *http.Client) Option {
	return func(o *options) { o.Outcalls, o.OutcallClient = true, client }
}

// WithRateLimit refuses installations (IC0209) for as many rounds as production does after an expensive one: a round
// forgives 2,000,000,000 instructions.
func WithRateLimit() Option { return func(o *options) { o.RateLimit = true } }

// WithoutFunds lets the accounts of the built-in ledgers begin empty, for a network whose developers are
// funded by whoever starts it, as icp does.
func WithoutFunds() Option { return func(o *options) { o.Unfunded = true } }
