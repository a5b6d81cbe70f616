// Package badinput gives the real module what it cannot take, and reads what it says.
package badinput
