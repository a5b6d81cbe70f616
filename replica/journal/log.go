package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// A log file:
//
//	"kedgelog"  8 bytes
//	generation  u64
//	record*
//
// A record, numbers little-endian, checksums CRC-32C:
//
//	length       u32   of the payload
//	sequence     u64   0, 1, 2, …
//	checksum     u32   of length and sequence
//	checksum     u32   of the payload
//	payload
//
// A record is written in one piece at the end of the file. A process that dies leaves a prefix of it, so a
// file that ends inside a record was torn there. Anything else that does not fit is damage.

const (
	logMagic     = "kedgelog"
	logHeader    = len(logMagic) + 8
	recordHeader = 4 + 8 + 4 + 4
	// MaxRecord is the greatest size of a record in bytes.
	MaxRecord = 1 << 31
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// logFile is a log open for appending.
type logFile struct {
	file *os.File
	size int64
	next uint64 // sequence number
}

// DamageError says that a file is not what was written.
type DamageError struct {
	File   string
	Offset int64
	What   string
}

// Error names the file, the place and the damage.
func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged at offset %d: %s", e.File, e.Offset, e.What)
}

// openLog opens a log, or makes an empty one, cuts a torn record off its end and returns its records.
func openLog(path string, generation uint64) (l *logFile, records [][]byte, dropped int64, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(content) < logHeader {
		// The process may have died before the head was complete; then nothing was ever appended.
		return createLog(path, generation)
	}
	if err != nil {
		return nil, nil, 0, fmt.Errorf("read the log: %w", err)
	}
	if string(content[:len(logMagic)]) != logMagic || binary.LittleEndian.Uint64(content[len(logMagic):]) != generation {
		return nil, nil, 0, &DamageError{path, 0, fmt.Sprintf("it does not begin as the log of generation %d", generation)}
	}
	records, end, err := parseRecords(content)
	if err != nil {
		var damage *DamageError
		if errors.As(err, &damage) {
			damage.File = path
		}
		return nil, nil, 0, err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("open the log: %w", err)
	}
	if err := errors.Join(file.Truncate(end), seekTo(file, end)); err != nil {
		return nil, nil, 0, errors.Join(fmt.Errorf("cut the torn end off the log: %w", err), file.Close())
	}
	return &logFile{file: file, size: end, next: uint64(len(records))}, records, int64(len(content)) - end, nil
}

func seekTo(file *os.File, offset int64) error {
	_, err := file.Seek(offset, io.SeekStart)
	return err
}

func createLog(path string, generation uint64) (*logFile, [][]byte, int64, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("make the log: %w", err)
	}
	head := binary.LittleEndian.AppendUint64([]byte(logMagic), generation)
	if _, err := file.Write(head); err != nil {
		return nil, nil, 0, errors.Join(fmt.Errorf("begin the log: %w", err), file.Close())
	}
	return &logFile{file: file, size: int64(logHeader)}, nil, 0, nil
}

// parseRecords returns the complete records of a log and where they end.
func parseRecords(content []byte) (records [][]byte, end int64, err error) {
	at := logHeader
	for {
		rest := content[at:]
		if len(rest) < recordHeader {
			return records, int64(at), nil // the end, or a torn head
		}
		length, sequence := binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint64(rest[4:])
		if crc32.Checksum(rest[:12], castagnoli) != binary.LittleEndian.Uint32(rest[12:]) {
			return nil, 0, &DamageError{Offset: int64(at), What: "the head of a record has the wrong checksum"}
		}
		if sequence != uint64(len(records)) {
			return nil, 0, &DamageError{Offset: int64(at), What: fmt.Sprintf("record %d stands where record %d belongs", sequence, len(records))}
		}
		if uint64(len(rest)-recordHeader) < uint64(length) {
			return records, int64(at), nil // torn
		}
		payload := rest[recordHeader : recordHeader+int(length)]
		if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(rest[16:]) {
			return nil, 0, &DamageError{Offset: int64(at), What: fmt.Sprintf("record %d has the wrong checksum", sequence)}
		}
		records = append(records, payload)
		at += recordHeader + int(length)
	}
}

// append writes a record. If it fails the file is cut back to where it was, so that the next may succeed.
func (l *logFile) append(payload []byte, sync bool) error {
	if len(payload) >= MaxRecord {
		return fmt.Errorf("a record of %d bytes is more than the log takes", len(payload))
	}
	record := make([]byte, 0, recordHeader+len(payload))
	record = binary.LittleEndian.AppendUint32(record, uint32(len(payload)))
	record = binary.LittleEndian.AppendUint64(record, l.next)
	record = binary.LittleEndian.AppendUint32(record, crc32.Checksum(record, castagnoli))
	record = binary.LittleEndian.AppendUint32(record, crc32.Checksum(payload, castagnoli))
	record = append(record, payload...)
	_, err := l.file.Write(record)
	if err == nil && sync {
		err = l.file.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("append to the log: %w", err), l.file.Truncate(l.size), seekTo(l.file, l.size))
	}
	l.size += int64(len(record))
	l.next++
	return nil
}

func (l *logFile) close() error { return l.file.Close() }
