// Command canister is the Kedge canister: an identity provider that people sign in with. It is built by
// cmd/icbuild for the Internet Computer and never run as a program. Its entry points are those of package
// kedge/canister.
package main

import _ "kedge/canister"

func main() {}
