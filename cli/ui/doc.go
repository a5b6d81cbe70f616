// Package ui is how the command line speaks and asks: results as text or JSON, errors with hints and
// exit codes, tables, lengths of time, and the terminal. It knows no canister and no key store.
//
// Standard output carries results and nothing else. Standard error carries lines that begin with
// "kedge:". Secrets, and questions that need an answer, go to the terminal and nowhere else.
package ui
