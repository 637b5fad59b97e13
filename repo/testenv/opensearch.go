package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// opensearchVersion is the newest of those that run on Java 17.
const opensearchVersion = "2.19.6"

// opensearchProject names the jars of a server without security and without k-NN, whose
// native parts are in no package.
const opensearchProject = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>pruned</groupId><artifactId>opensearch</artifactId><version>1</version><dependencies>
<dependency><groupId>org.opensearch</groupId><artifactId>opensearch</artifactId><version>` + opensearchVersion + `</version></dependency>
<dependency><groupId>org.opensearch.plugin</groupId><artifactId>transport-netty4-client</artifactId><version>` + opensearchVersion + `</version></dependency>
<dependency><groupId>org.opensearch.plugin</groupId><artifactId>reindex-client</artifactId><version>` + opensearchVersion + `</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.25.4</version></dependency>
</dependencies></project>`

// opensearchProgram starts it.
const opensearchProgram = `import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

public class Server extends Node {
    Server(Settings settings) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "one"), List.of(Netty4Plugin.class, ReindexPlugin.class), false);
    }

    public static void main(String[] args) throws Exception {
        Settings.Builder settings = Settings.builder().put("path.home", args[0]).put("http.port", args[1]).put("transport.port", args[2])
            .put("network.host", "127.0.0.1").put("discovery.type", "single-node").put("http.type", "netty4").put("transport.type", "netty4")
            .put("cluster.routing.allocation.disk.threshold_enabled", false).put("cluster.max_shards_per_node", 10000);
        new Server(settings.build()).start();
        Thread.currentThread().join();
    }
}
`

// OpenSearch is a server of documents and vectors.
type OpenSearch struct{ daemon }

// URL is the address of the server.
func (o *OpenSearch) URL() string { return "http://" + o.address() }

// hasJava says whether there is what OpenSearch is installed and run by.
func hasJava() bool {
	for _, program := range []string{"java", "javac", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			return false
		}
	}
	return true
}

// NeedOpenSearch leaves a test out where the server was not asked for, or cannot be had.
func NeedOpenSearch(t testing.TB) {
	t.Helper()
	if os.Getenv("PRUNED_TEST_STORES") != "all" {
		LeaveOut(t, "OpenSearch takes minutes: make test-stores runs it")
	}
	if !hasJava() {
		LeaveOut(t, "OpenSearch wants java, javac and mvn, which are not here")
	}
}

var sharedOpenSearch common[*OpenSearch]

// SharedOpenSearch is the one that all tests of this process have in common. Main stops it.
func SharedOpenSearch(t testing.TB) *OpenSearch {
	t.Helper()
	return sharedOpenSearch.get(t, RunOpenSearch)
}

var opensearchPool = newPool(RunOpenSearch)

// BorrowOpenSearch is a server that no other test uses meanwhile; give hands it back, empty.
// Main stops it.
func BorrowOpenSearch(t testing.TB) (o *OpenSearch, give func()) {
	t.Helper()
	return opensearchPool.borrow(t)
}

// StartOpenSearch starts a server of one's own, which stops with the test.
func StartOpenSearch(t testing.TB) *OpenSearch {
	t.Helper()
	o, err := RunOpenSearch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.End(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// RunOpenSearch is StartOpenSearch for programs, which End it.
func RunOpenSearch(ctx context.Context) (*OpenSearch, error) {
	install, err := Cached(ctx, "opensearch-"+opensearchVersion, installOpenSearch)
	if err != nil {
		return nil, fmt.Errorf("install OpenSearch: %w", err)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, err
	}
	o := &OpenSearch{daemon{name: "opensearch", program: java, args: func(d *daemon) []string {
		return []string{"-Xms128m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", filepath.Join(install, "lib", "*") + ":" + install, "Server", d.dir, fmt.Sprint(d.ports[0]), fmt.Sprint(d.ports[1])}
	}}}
	o.ready = o.askReady
	return o, o.begin(ctx, 2)
}

func installOpenSearch(ctx context.Context, dir string) error {
	err := errors.Join(
		os.WriteFile(filepath.Join(dir, "pom.xml"), []byte(opensearchProject), 0o600),
		os.WriteFile(filepath.Join(dir, "Server.java"), []byte(opensearchProgram), 0o600))
	for _, step := range []command{
		{program: "mvn", args: []string{"-B", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies", "-DoutputDirectory=lib", "-DincludeScope=runtime"}},
		{program: "javac", args: []string{"-cp", filepath.Join("lib", "*"), "Server.java"}},
	} {
		if err == nil {
			step.dir, step.env = dir, os.Environ()
			err = step.run(ctx)
		}
	}
	return err
}

func (o *OpenSearch) askReady(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL()+"/_cluster/health?wait_for_status=yellow&timeout=1s", nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}
