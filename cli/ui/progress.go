package ui

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// progressAfter is how long something takes before a person is told what is under way.
const progressAfter = time.Second

// Working tells what is under way, on standard error where that is a terminal, once it has taken a second, with
// the seconds that it has taken; done takes the line away. A dumb terminal gets one line that stays. While something else is
// told, or a bar is drawn, this is not. Scripts and --json see nothing of it.
func (u *UI) Working(format string, args ...any) (done func()) {
	f, ok := u.Stderr.(*os.File)
	if !ok || u.JSON || !term.IsTerminal(int(f.Fd())) || !u.told.CompareAndSwap(false, true) {
		return func() {}
	}
	dumb := u.dumb()
	text := u.encoded(f, message(fmt.Sprintf(format, args...)))
	stop, stopped := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() {
		defer close(stopped)
		tick := time.NewTicker(progressAfter)
		defer tick.Stop()
		drawn := false
		for {
			select {
			case <-stop:
				if drawn && !dumb {
					_, _ = fmt.Fprint(f, "\r\x1b[K")
				}
				return
			case <-tick.C:
				if dumb {
					if !drawn {
						_, _ = fmt.Fprintln(f, text)
					}
					drawn = true
					continue
				}
				line := fmt.Sprintf("%s (%d s)", text, int(time.Since(began).Seconds()))
				if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 1 {
					line = runewidth.Truncate(line, width-1, "")
				}
				_, _ = fmt.Fprintf(f, "\r\x1b[K%s", line)
				drawn = true
			}
		}
	}()
	var once sync.Once
	return func() { once.Do(func() { close(stop); <-stopped; u.told.Store(false) }) }
}
