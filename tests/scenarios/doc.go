// Package scenarios tells attacks and mishaps as stories, on the real module. Each is one that somebody
// feared or suffered on the forum where this product was asked for.
package scenarios
