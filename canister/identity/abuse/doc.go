// Package abuse bounds what strangers can take: how fast anchors are registered, and how many captchas
// wait for an answer. It is pure; time and randomness are arguments.
package abuse
