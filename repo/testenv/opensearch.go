package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// opensearchRelease is what differs from one to the other for who starts a node with plugins.
type opensearchRelease struct {
	version string
	plugins string // a list of them, in Java
	options []string
}

// opensearchReleases by what opensearchVariable says. The second wants Java 21 or newer.
var opensearchReleases = map[string]opensearchRelease{
	"": {version: "2.19.6", plugins: `List.of(org.opensearch.transport.Netty4Plugin.class, org.opensearch.index.reindex.ReindexPlugin.class)`},
	"3": {
		version: "3.8.0", options: []string{"--add-modules", "jdk.incubator.vector"},
		plugins: `List.of(org.opensearch.transport.Netty4ModulePlugin.class, org.opensearch.index.reindex.ReindexModulePlugin.class).stream().map(c -> new org.opensearch.plugins.PluginInfo(
            c.getName(), "", "", org.opensearch.Version.CURRENT, "21", c.getName(), null, List.of(), false)).toList()`,
	},
}

const opensearchVariable = "PRUNED_TEST_OPENSEARCH"

func chosenOpenSearch() (r opensearchRelease, err error) {
	choice := os.Getenv(opensearchVariable)
	r, known := opensearchReleases[choice]
	if !known {
		err = fmt.Errorf("%s is %q, wanted 3 or nothing", opensearchVariable, choice)
	}
	return r, err
}

// opensearchProject names the jars of a server without security and without k-NN, whose
// native parts are in no package.
const opensearchProject = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>pruned</groupId><artifactId>opensearch</artifactId><version>1</version><dependencies>
<dependency><groupId>org.opensearch</groupId><artifactId>opensearch</artifactId><version>@version</version></dependency>
<dependency><groupId>org.opensearch.plugin</groupId><artifactId>transport-netty4-client</artifactId><version>@version</version></dependency>
<dependency><groupId>org.opensearch.plugin</groupId><artifactId>reindex-client</artifactId><version>@version</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.25.4</version></dependency>
</dependencies></project>`

// opensearchProgram starts it.
const opensearchProgram = `import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;

public class Server extends Node {
    Server(Settings settings) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "one"), @plugins, false);
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

// findJava finds a program of the Java that JAVA_HOME names, as Maven does, or else any.
func findJava(program string) (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		program = filepath.Join(home, "bin", program)
	}
	return exec.LookPath(program)
}

// hasJava says whether there is what OpenSearch is installed and run by.
func hasJava() bool {
	_, noMaven := exec.LookPath("mvn")
	_, noCompiler := findJava("javac")
	_, noJava := findJava("java")
	return errors.Join(noMaven, noCompiler, noJava) == nil
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
	release, err := chosenOpenSearch()
	if err != nil {
		return nil, err
	}
	install, err := Cached(ctx, "opensearch-"+release.version, release.install)
	if err != nil {
		return nil, fmt.Errorf("install OpenSearch: %w", err)
	}
	java, err := findJava("java")
	if err != nil {
		return nil, err
	}
	o := &OpenSearch{daemon{name: "opensearch", program: java, args: func(d *daemon) []string {
		return append(slices.Clone(release.options), "-Xms128m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
			"-cp", filepath.Join(install, "lib", "*")+":"+install, "Server", d.dir, fmt.Sprint(d.ports[0]), fmt.Sprint(d.ports[1]))
	}}}
	o.ready = o.askReady
	return o, o.begin(ctx, 2)
}

func (r opensearchRelease) install(ctx context.Context, dir string) error {
	fill := strings.NewReplacer("@version", r.version, "@plugins", r.plugins)
	compiler, err := findJava("javac")
	err = errors.Join(err,
		os.WriteFile(filepath.Join(dir, "pom.xml"), []byte(fill.Replace(opensearchProject)), 0o600),
		os.WriteFile(filepath.Join(dir, "Server.java"), []byte(fill.Replace(opensearchProgram)), 0o600))
	for _, step := range []command{
		{program: "mvn", args: []string{"-B", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies", "-DoutputDirectory=lib", "-DincludeScope=runtime"}},
		{program: compiler, args: []string{"-cp", filepath.Join("lib", "*"), "Server.java"}},
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
