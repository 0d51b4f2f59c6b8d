package operators

// summed returns how to read the field as a number; nil when it is none.
func (f field) summed() func(*subject) int64 {
	if f.kind != kindNumber {
		return nil
	}
	return f.number
}

// distinct returns how to read the field's values as fingerprints, none for
// what is not known.
func (f field) distinct() func(*subject, []uint32) []uint32 {
	switch f.kind {
	case kindNumber, kindHash:
		return func(s *subject, list []uint32) []uint32 {
			if n := f.number(s); n != 0 {
				list = append(list, fingerprint(uint64(n)))
			}
			return list
		}
	case kindHashes:
		return func(s *subject, list []uint32) []uint32 {
			for _, h := range f.hashes(s) {
				if h != 0 && len(list) < cap(list) {
					list = append(list, fingerprint(uint64(h)))
				}
			}
			return list
		}
	case kindText:
		return func(s *subject, list []uint32) []uint32 {
			if text := f.text(s); text != "" {
				list = append(list, fingerprintOf(text))
			}
			return list
		}
	case kindList:
		return func(s *subject, list []uint32) []uint32 {
			for _, text := range f.list(s) {
				if len(list) < cap(list) {
					list = append(list, fingerprintOf(text))
				}
			}
			return list
		}
	default:
		return nil
	}
}

// fingerprintOf makes a fingerprint of a text by FNV-1a, 64 bits.
func fingerprintOf(text string) uint32 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 0x100000001b3
	}
	return fingerprint(h)
}
