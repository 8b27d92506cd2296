// rekor-v1 is a Rekor v1 server that needs no database.
//
//	rekor-v1 serve …             rekor-server as it is, but that it serves no metrics
//	rekor-v1 trillian -address A Trillian's log server and signer over Trillian's own in-memory storage, in one process;
//	                             it forgets everything when it ends
//
// Trillian prints one JSON line {"tree_id":"…"} when it serves the tree.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/client"
	"github.com/google/trillian/extension"
	trillianlog "github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/server/admin"
	"github.com/google/trillian/server/interceptor"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/memory"
	"github.com/google/trillian/util/clock"
	"github.com/google/trillian/util/election2"
	"github.com/sigstore/rekor/cmd/rekor-server/app"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

const sequenceEvery = 50 * time.Millisecond

// dedup refuses a leaf that was queued before, as Trillian's SQL storages do and its memory storage does not.
type dedup struct {
	storage.LogStorage
	mu   sync.Mutex
	seen map[string]bool
}

func (d *dedup) QueueLeaves(ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time) ([]*trillian.QueuedLogLeaf, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	queued := make([]*trillian.QueuedLogLeaf, 0, len(leaves))
	for _, leaf := range leaves {
		id := string(leaf.LeafIdentityHash)
		if d.seen[id] {
			exists := status.New(codes.AlreadyExists, "leaf already exists").Proto()
			queued = append(queued, &trillian.QueuedLogLeaf{Leaf: leaf, Status: exists})
			continue
		}
		one, err := d.LogStorage.QueueLeaves(ctx, tree, []*trillian.LogLeaf{leaf}, at)
		if err != nil {
			return nil, err
		}
		d.seen[id] = true
		queued = append(queued, one...)
	}
	return queued, nil
}

func main() {
	if len(os.Args) < 2 || os.Args[1] != "trillian" {
		serve()
		return
	}
	flags := flag.NewFlagSet("trillian", flag.ExitOnError)
	address := flags.String("address", "127.0.0.1:0", "address to serve gRPC on")
	if err := flags.Parse(os.Args[2:]); err != nil {
		log.Fatal(err)
	}
	if err := trillianServer(*address); err != nil {
		log.Fatal(err)
	}
}

// serve runs rekor-server. It would serve metrics on every address of the machine, and goes on without if their port is taken.
func serve() {
	if held, err := net.Listen("tcp", "127.0.0.1:2112"); err == nil {
		defer held.Close()
	}
	app.Execute()
}

func trillianServer(address string) error {
	ctx := context.Background()
	trees := memory.NewTreeStorage()
	registry := extension.Registry{
		AdminStorage:    memory.NewAdminStorage(trees),
		LogStorage:      &dedup{LogStorage: memory.NewLogStorage(trees, monitoring.InertMetricFactory{}), seen: map[string]bool{}},
		QuotaManager:    quota.Noop(),
		ElectionFactory: election2.NoopFactory{},
		MetricFactory:   monitoring.InertMetricFactory{},
	}
	serving := grpc.NewServer(grpc.UnaryInterceptor(interceptor.ErrorWrapper))
	trillian.RegisterTrillianAdminServer(serving, admin.New(registry, nil))
	trillian.RegisterTrillianLogServer(serving, server.NewTrillianLogRPCServer(registry, clock.System))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- serving.Serve(listener) }()
	go trillianlog.NewOperationManager(trillianlog.OperationInfo{
		Registry:    registry,
		BatchSize:   100,
		NumWorkers:  1,
		RunInterval: sequenceEvery,
		TimeSource:  clock.System,
	}, trillianlog.NewSequencerManager(registry, 0)).OperationLoop(ctx)

	tree, err := createTree(ctx, listener.Addr().String())
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"tree_id": strconv.FormatInt(tree.TreeId, 10)}); err != nil {
		return err
	}
	return <-failed
}

func createTree(ctx context.Context, address string) (*trillian.Tree, error) {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	wanted := &trillian.CreateTreeRequest{Tree: &trillian.Tree{
		TreeState:       trillian.TreeState_ACTIVE,
		TreeType:        trillian.TreeType_LOG,
		MaxRootDuration: durationpb.New(0),
	}}
	return client.CreateAndInitTree(ctx, wanted, trillian.NewTrillianAdminClient(connection), trillian.NewTrillianLogClient(connection))
}
