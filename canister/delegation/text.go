package delegation

// The constants that are hashed. A domain has its length before it (Interface Specification, "Certificate" and
// "Authentication").
const (
	forkDomain       = "\x10ic-hashtree-fork"
	labeledDomain    = "\x13ic-hashtree-labeled"
	leafDomain       = "\x10ic-hashtree-leaf"
	emptyDomain      = "\x11ic-hashtree-empty"
	delegationDomain = "\x1Aic-request-auth-delegation"
	sigLabel         = "sig"

	// algorithm is the AlgorithmIdentifier of a canister signature key: OID 1.3.6.1.4.1.56387.1.2
	// (Interface Specification, "Canister signatures").
	algorithm = "\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x83\xb8\x43\x01\x02"
)

// texts has those that every sign-in needs, in one text: Go puts texts of similar length together, so those would lie
// on three pages, and the network charges for every page that a message touches.
const (
	texts = labeledDomain + delegationDomain + sigLabel + algorithm + forkDomain + leafDomain + emptyDomain

	atDelegation = len(labeledDomain)
	atSig        = atDelegation + len(delegationDomain)
	atAlgorithm  = atSig + len(sigLabel)
	atFork       = atAlgorithm + len(algorithm)
)
