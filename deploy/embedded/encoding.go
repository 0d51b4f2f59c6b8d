package embedded

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// Two compressions may meet in one request: that of HTTP, in its headers, and
// ClickHouse's own frames (compress=1, decompress=1), inside of it.

// decodeBody undoes what the client did to the body.
func decodeBody(r *http.Request, framed bool) (io.Reader, error) {
	var body io.Reader = r.Body
	var err error
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		body, err = gzip.NewReader(body)
	case "deflate":
		body, err = zlib.NewReader(body)
	case "br":
		body = brotli.NewReader(body)
	case "zstd":
		var decoder *zstd.Decoder
		decoder, err = zstd.NewReader(body)
		if err == nil {
			body = decoder.IOReadCloser()
		}
	default:
		return nil, newException(48, "NOT_IMPLEMENTED", "content encoding "+encoding+"; send gzip, deflate, br, zstd or none")
	}
	if err != nil {
		return nil, newException(271, "CANNOT_DECOMPRESS", "the body is not what Content-Encoding says: "+err.Error())
	}
	if framed {
		body = frameReader{compress.NewReader(body)}
	}
	return body, nil
}

// frameReader reports the end of the last frame as the end: the library wraps it.
type frameReader struct{ r io.Reader }

func (f frameReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.EOF
	}
	return n, err
}

func acceptedEncoding(header string) string {
	var accepted []string
	for entry := range strings.SplitSeq(header, ",") {
		name, _, _ := strings.Cut(entry, ";")
		accepted = append(accepted, strings.ToLower(strings.TrimSpace(name)))
	}
	for _, name := range []string{"zstd", "gzip", "br", "deflate"} {
		if slices.Contains(accepted, name) {
			return name
		}
	}
	return ""
}

// encodeBody returns what to write the result to, and a function that completes it.
func encodeBody(w http.ResponseWriter, req *request) (io.Writer, func() error, error) {
	if req.frames != "" {
		method, err := compress.MethodString(frameMethod(req.frames))
		if err != nil {
			return nil, nil, newException(36, "BAD_ARGUMENTS", "network_compression_method "+req.frames+"; choose LZ4, ZSTD or NONE")
		}
		frames := &frameWriter{w: w, c: compress.NewWriter(compress.LevelZero, method)}
		return frames, frames.flush, nil
	}
	var out io.WriteCloser
	switch req.encoding {
	case "gzip":
		// Speed over size: the client is on the same machine.
		out, _ = gzip.NewWriterLevel(w, gzip.BestSpeed)
	case "deflate":
		out, _ = zlib.NewWriterLevel(w, zlib.BestSpeed)
	case "br":
		out = brotli.NewWriterLevel(w, brotli.BestSpeed)
	case "zstd":
		encoder, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, nil, err
		}
		out = encoder
	default:
		return w, func() error { return nil }, nil
	}
	w.Header().Set("Content-Encoding", req.encoding)
	return out, out.Close, nil
}

// frameMethod maps ClickHouse's names of codecs to those of the library.
func frameMethod(name string) string {
	return map[string]string{"LZ4": "LZ4", "LZ4HC": "LZ4HC", "ZSTD": "ZSTD", "NONE": "None"}[name]
}

// frameWriter cuts the result into ClickHouse's compressed frames.
type frameWriter struct {
	w   io.Writer
	c   *compress.Writer
	buf []byte
}

const frameSize = 1 << 20 // what a server uses

func (f *frameWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := min(len(p), frameSize-len(f.buf))
		f.buf = append(f.buf, p[:n]...)
		p = p[n:]
		if len(f.buf) == frameSize {
			if err := f.flush(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

func (f *frameWriter) flush() error {
	if len(f.buf) == 0 {
		return nil
	}
	if err := f.c.Compress(f.buf); err != nil {
		return err
	}
	f.buf = f.buf[:0]
	_, err := f.w.Write(f.c.Data)
	return err
}
