package gateway

import (
	"fmt"
	"html"
	"net/http"
)

// pageError is an answer that the gateway gives in the canister's place.
type pageError struct {
	status        int
	title, detail string
}

func newPageError(status int, title, format string, args ...any) *pageError {
	return &pageError{status, title, fmt.Sprintf(format, args...)}
}

// showPage writes an error page.
func showPage(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.WriteHeader(status)
	// The client has gone if this fails.
	_, _ = fmt.Fprintf(w, `<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>%[1]s</title>
<body style="font-family:sans-serif;max-width:40em;margin:4em auto;line-height:1.5">
<h1>%[1]s</h1>
<p>%[2]s</p>
<p style="color:gray">Answered by the gateway of the local network, status %[3]d, not by a canister.</p>
</body></html>
`, html.EscapeString(title), html.EscapeString(detail), status)
}
