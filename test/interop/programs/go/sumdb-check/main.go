// sumdb-check verifies a published log with golang.org/x/mod/sumdb, the code that the Go command verifies modules with.
//
//	sumdb-check log -vkey K [-old N] FOLDER-OR-URL   checkpoint, all tiles, inclusion of every entry, consistency from N
//	sumdb-check proof -vkey K -entry FILE PROOF-FILE  a c2sp.org/tlog-proof@v1 text for the bytes of one leaf
//
// Prints one JSON line; exits 1 with {"error":"…"} if anything does not verify.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileHashes = 1 << tileHeight
	maxBytes   = 32 << 20
	header     = "c2sp.org/tlog-proof@v1"
)

type checkpoint struct {
	Origin     string   `json:"origin"`
	Size       int64    `json:"size"`
	Root       string   `json:"root"`
	Signatures []string `json:"signatures"`
	hash       tlog.Hash
}

func main() {
	result, err := run(os.Args[1:])
	if err != nil {
		result = map[string]any{"error": err.Error()}
	}
	if encoding := json.NewEncoder(os.Stdout).Encode(result); encoding != nil || err != nil {
		os.Exit(1)
	}
}

func run(args []string) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("usage: sumdb-check log|proof|version …")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	vkeys := flags.String("vkey", "", "Ed25519 verifier keys, the log's first, comma-separated; all must have signed")
	old := flags.Int64("old", 0, "an older size to prove consistency from")
	entry := flags.String("entry", "", "file with the bytes of the leaf")
	if err := flags.Parse(args[1:]); err != nil {
		return nil, err
	}
	switch args[0] {
	case "version":
		return version()
	case "log":
		return checkLog(flags.Arg(0), *vkeys, *old)
	case "proof":
		return checkProof(flags.Arg(0), *vkeys, *entry)
	}
	return nil, fmt.Errorf("no command %q", args[0])
}

func version() (any, error) {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "golang.org/x/mod" {
			return map[string]any{"golang.org/x/mod": module.Version}, nil
		}
	}
	return nil, errors.New("golang.org/x/mod is not in the build information")
}

// openCheckpoint verifies the note and demands a signature of each key.
func openCheckpoint(text []byte, vkeys string) (*checkpoint, error) {
	var verifiers []note.Verifier
	for _, vkey := range strings.Split(vkeys, ",") {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("vkey %q: %w", vkey, err)
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(text, note.VerifierList(verifiers...))
	if err != nil {
		return nil, err
	}
	if len(opened.Sigs) != len(verifiers) {
		return nil, fmt.Errorf("%d of %d keys signed", len(opened.Sigs), len(verifiers))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifiers[0].Name() {
		return nil, errors.New("not three lines under the name of the log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return nil, err
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil {
		return nil, err
	}
	found := &checkpoint{Origin: lines[0], Size: size, Root: hash.String(), hash: hash}
	for _, signature := range opened.Sigs {
		found.Signatures = append(found.Signatures, signature.Name)
	}
	return found, nil
}

// published reads files below a folder or an http(s) URL.
type published struct{ base string }

var client = http.Client{Timeout: 10 * time.Second}

func (p published) read(path string) ([]byte, error) {
	if !strings.HasPrefix(p.base, "http://") && !strings.HasPrefix(p.base, "https://") {
		return os.ReadFile(filepath.Join(p.base, filepath.FromSlash(path)))
	}
	response, err := client.Get(strings.TrimSuffix(p.base, "/") + "/" + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxBytes))
}

// name is a tile's path in C2SP tlog-tiles, which leaves out the height that sumdb has in its own.
func name(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
}

func (p published) Height() int { return tileHeight }

func (p published) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes, err := p.read(name(tile))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (p published) SaveTiles([]tlog.Tile, [][]byte) {}

func (p published) bundle(first, size int64) ([][]byte, error) {
	width := int(min(size-first, tileHashes))
	tile := tlog.Tile{H: tileHeight, L: 0, N: first / tileHashes, W: width}
	bytes, err := p.read(strings.Replace(name(tile), "tile/0/", "tile/entries/", 1))
	if err != nil {
		return nil, err
	}
	var leaves [][]byte
	for len(bytes) > 0 {
		if len(bytes) < 2 || len(bytes) < 2+int(binary.BigEndian.Uint16(bytes)) {
			return nil, errors.New("an entry bundle is cut")
		}
		end := 2 + int(binary.BigEndian.Uint16(bytes))
		leaves = append(leaves, bytes[2:end])
		bytes = bytes[end:]
	}
	if len(leaves) != width {
		return nil, fmt.Errorf("the bundle of leaf %d has %d entries instead of %d", first, len(leaves), width)
	}
	return leaves, nil
}

func checkLog(base, vkeys string, old int64) (any, error) {
	source := published{base}
	text, err := source.read("checkpoint")
	if err != nil {
		return nil, err
	}
	head, err := openCheckpoint(text, vkeys)
	if err != nil {
		return nil, err
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: head.Size, Hash: head.hash}, source)
	for first := int64(0); first < head.Size; first += tileHashes {
		leaves, err := source.bundle(first, head.Size)
		if err != nil {
			return nil, err
		}
		for at, leaf := range leaves {
			if err := checkLeaf(head, hashes, first+int64(at), leaf); err != nil {
				return nil, fmt.Errorf("leaf %d: %w", first+int64(at), err)
			}
		}
	}
	oldRoot, err := checkConsistency(head, hashes, old)
	if err != nil {
		return nil, fmt.Errorf("consistency from %d: %w", old, err)
	}
	return map[string]any{"ok": true, "checkpoint": head, "leaves": head.Size, "old_size": old, "old_root": oldRoot}, nil
}

func checkLeaf(head *checkpoint, hashes tlog.HashReader, index int64, leaf []byte) error {
	proof, err := tlog.ProveRecord(head.Size, index, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, head.Size, head.hash, index, tlog.RecordHash(leaf))
}

// checkConsistency returns the root at the older size, for the caller to compare with what was signed then.
func checkConsistency(head *checkpoint, hashes tlog.HashReader, old int64) (string, error) {
	if old == 0 {
		return "", nil
	}
	oldRoot, err := tlog.TreeHash(old, hashes)
	if err != nil {
		return "", err
	}
	proof, err := tlog.ProveTree(head.Size, old, hashes)
	if err != nil {
		return "", err
	}
	return oldRoot.String(), tlog.CheckTree(proof, head.Size, head.hash, old, oldRoot)
}

func checkProof(file, vkeys, entryFile string) (any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	leaf, err := os.ReadFile(entryFile)
	if err != nil {
		return nil, err
	}
	head, rest, isWhole := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !isWhole || len(lines) < 2 || lines[0] != header {
		return nil, errors.New("not a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return nil, err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		proof = append(proof, hash)
	}
	signed, err := openCheckpoint([]byte(rest), vkeys)
	if err != nil {
		return nil, err
	}
	if err := tlog.CheckRecord(proof, signed.Size, signed.hash, index, tlog.RecordHash(leaf)); err != nil {
		return nil, err
	}
	return map[string]any{"ok": true, "checkpoint": signed, "index": index}, nil
}
