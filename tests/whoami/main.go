// Command whoami is a canister that tells its callers who they are: the application that the sign-in
// tests sign in to.
package main

func main() {}
