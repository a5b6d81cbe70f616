// Package iitest stands in for old builds of Internet Identity in tests: the real ones cannot be had in this
// repository. It shares no code with what it judges. It has its own Candid, its own idea of the stable
// memory's layouts, and for every generation of builds the exact types with which that generation read and
// wrote its records. What such a build could not decode, the stand-in cannot decode either.
//
// The facts are of the public repository dfinity/internet-identity: the types DeviceDataInternal and Device,
// Anchor, the layouts of src/internet_identity/src/storage.rs, and the memory manager and map of
// dfinity/stable-structures.
package iitest
