package storage

import (
	"fmt"
)

// While an Internet Identity memory is on trial its own header keeps page 0, and these facts of its
// layouts say where home is (ii.md 4.1, 4.2, 4.4).
//
//	layout   reach of the old layout   extent of home
//	1        8 GiB                     1024
//	3        16 GiB                    2048
//	5, 6     32 GiB                    4096
//	7, 8, 9  any                       the first bucket of memory 100
//
// The memory manager is page 1:
//
//	off  len
//	  0    3  "MGR"
//	  3    1  version, 1
//	  4    2  buckets allocated
//	  6    2  pages of a bucket, 128
//	  8   32  reserved
//	 40 2040  size in pages of each of 255 memories, u64
//	2080 32768 owner of each bucket, 0xFF for none
const (
	iiMagic = "IIC"

	managerOffset  = PageSize
	managerMagic   = "MGR\x01"
	managerSizes   = 40
	managerOwners  = 2080
	managerBuckets = 32768
	// ManagedID is the memory of Internet Identity's memory manager that Kedge's extents belong to.
	ManagedID = 100
)

// RaisedHome is the extent that holds home above an Internet Identity layout of 1 to 6; ok is false for
// every other layout.
func RaisedHome(layout uint8) (extent uint32, ok bool) {
	switch layout {
	case 1:
		return 1024, true
	case 3:
		return 2048, true
	case 5, 6:
		return 4096, true
	}
	return 0, false
}

// findHome returns the offset of home.
func findHome(mem Memory) (uint64, error) {
	if mem.Size() < firstPage {
		return 0, fmt.Errorf("%w: it has %d pages", ErrNotKedge, mem.Size())
	}
	var b [4]byte
	if err := mem.ReadAt(b[:], 0); err != nil {
		return 0, fmt.Errorf("read page 0: %w", err)
	}
	if string(b[:3]) != iiMagic {
		return 0, nil // also when damaged: the second copy of the superblock may serve
	}
	layout := b[3]
	own, isRaised := RaisedHome(layout)
	if !isRaised && layout >= 7 {
		e, ok, err := firstBucket(mem)
		if err != nil {
			return 0, err
		}
		if ok {
			return extentOffset(e), nil
		}
	}
	for _, old := range [...]uint8{1, 3, 5} {
		e, _ := RaisedHome(old)
		at := extentOffset(e)
		if at+extentSize > mem.Size()*PageSize {
			continue
		}
		if err := mem.ReadAt(b[:3], at); err != nil {
			return 0, fmt.Errorf("look for the superblock: %w", err)
		}
		if string(b[:3]) != superblockMagic {
			continue
		}
		if isRaised && e == own {
			return at, nil
		}
		return 0, fmt.Errorf("the memory was on trial beside layout %d of Internet Identity, which is layout %d now: let the old module keep its layout while on trial", old, layout)
	}
	return 0, fmt.Errorf("%w: it is Internet Identity's, layout %d", ErrNotKedge, layout)
}

func managerHeader(mem Memory) (buckets uint16, err error) {
	var b [8]byte
	if err := mem.ReadAt(b[:], managerOffset); err != nil {
		return 0, fmt.Errorf("read %w: %w", errManager, err)
	}
	if string(b[:4]) != managerMagic || le.Uint16(b[6:]) != ExtentPages {
		return 0, fmt.Errorf("%w: header %x is not \"MGR\", version 1, buckets of %d pages", errManager, b, ExtentPages)
	}
	return le.Uint16(b[4:]), nil
}

// firstBucket finds the first bucket of memory 100. The owners are read 1 KiB at a time.
func firstBucket(mem Memory) (e uint32, ok bool, err error) {
	n, err := managerHeader(mem)
	if err != nil {
		return 0, false, err
	}
	var b [1024]byte
	for at := 0; at < int(n); at += len(b) {
		if err := mem.ReadAt(b[:], managerOffset+managerOwners+uint64(at)); err != nil {
			return 0, false, fmt.Errorf("read %w: %w", errManager, err)
		}
		for i, owner := range b[:min(len(b), int(n)-at)] {
			if owner == ManagedID {
				return uint32(at + i), true, nil
			}
		}
	}
	return 0, false, nil
}

// takeBucket allocates the next bucket to memory 100 in Internet Identity's table.
func takeBucket(mem Memory) (uint32, error) {
	n, err := managerHeader(mem)
	if err != nil {
		return 0, err
	}
	if n >= managerBuckets {
		return 0, fmt.Errorf("%w: all %d buckets are allocated", ErrFull, managerBuckets)
	}
	e := uint32(n)
	if err := growTo(mem, (extentOffset(e)+extentSize)/PageSize); err != nil {
		return 0, err
	}
	var b [8]byte
	sizeAt := managerOffset + managerSizes + 8*uint64(ManagedID)
	if err := mem.ReadAt(b[:], sizeAt); err != nil {
		return 0, fmt.Errorf("read %w: %w", errManager, err)
	}
	le.PutUint64(b[:], le.Uint64(b[:])+ExtentPages)
	if err := mem.WriteAt(b[:], sizeAt); err != nil {
		return 0, fmt.Errorf("write %w: %w", errManager, err)
	}
	if err := mem.WriteAt([]byte{ManagedID}, managerOffset+managerOwners+uint64(e)); err != nil {
		return 0, fmt.Errorf("write %w: %w", errManager, err)
	}
	le.PutUint16(b[:], n+1)
	if err := mem.WriteAt(b[:2], managerOffset+4); err != nil {
		return 0, fmt.Errorf("write %w: %w", errManager, err)
	}
	return e, nil
}
