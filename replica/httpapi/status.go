package httpapi

import (
	"net/http"

	"kedge/internal/minicbor"
)

// status answers /api/v2/status (Interface Specification, "Status endpoint").
func (s *Server) status(w http.ResponseWriter, r *http.Request) error {
	health, height := "healthy", uint64(0)
	if snapshot, err := s.backend.Fresh(r.Context()); err == nil {
		height = snapshot.Height()
	} else {
		health = "waiting_for_certified_state"
	}
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Map, 5)
	out = minicbor.AppendBytes(minicbor.AppendText(out, "root_key"), s.backend.State().Keys().RootDER())
	out = appendText(out, "impl_version", s.options.Version)
	out = appendText(out, "impl_hash", s.options.Hash)
	out = appendText(out, "replica_health_status", health)
	out = appendUint(out, "certified_height", height)
	reply{http.StatusOK, out}.write(w)
	return nil
}

func appendText(out []byte, name, value string) []byte {
	return minicbor.AppendText(minicbor.AppendText(out, name), value)
}

func appendUint(out []byte, name string, value uint64) []byte {
	return minicbor.AppendHead(minicbor.AppendText(out, name), minicbor.Uint, value)
}
