// A runtime wrapper as one would write it in Go: reads the bundle's config.json at create, makes the
// same kind of edit as runclad (capabilities, no_new_privs, a read-only root with three tmpfs, mount
// options, a process limit), and becomes the lower runtime. It identifies no image, checks no source
// and keeps no record.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

var lowerRuntime = "/usr/sbin/runc"

func object(parent map[string]any, name string) map[string]any {
	child, ok := parent[name].(map[string]any)
	if !ok {
		child = map[string]any{}
		parent[name] = child
	}
	return child
}

func contains(list []any, wanted any) bool {
	for _, value := range list {
		if value == wanted {
			return true
		}
	}
	return false
}

func harden(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var spec map[string]any
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	process := object(spec, "process")
	process["noNewPrivileges"] = true
	sets := object(process, "capabilities")
	for name, value := range sets {
		kept := []any{}
		for _, capability := range value.([]any) {
			if capability == "CAP_NET_BIND_SERVICE" {
				kept = append(kept, capability)
			}
		}
		sets[name] = kept
	}
	object(spec, "root")["readonly"] = true
	mounts, _ := spec["mounts"].([]any)
	for _, entry := range mounts {
		mount := entry.(map[string]any)
		options, _ := mount["options"].([]any)
		for _, option := range []any{"nosuid", "nodev", "noexec"} {
			if mount["destination"] != "/dev" && !contains(options, option) {
				options = append(options, option)
			}
		}
		mount["options"] = options
	}
	for _, directory := range []string{"/run", "/tmp", "/var/tmp"} {
		mounts = append(mounts, map[string]any{"destination": directory, "type": "tmpfs",
			"source": "tmpfs", "options": []any{"nosuid", "nodev", "noexec", "size=64m"}})
	}
	spec["mounts"] = mounts
	resources := object(object(spec, "linux"), "resources")
	object(resources, "pids")["limit"] = 2048
	if text, err = json.Marshal(spec); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func main() {
	bundle := ""
	creates := false
	for i, argument := range os.Args {
		creates = creates || argument == "create"
		if argument == "--bundle" && i+1 < len(os.Args) {
			bundle = os.Args[i+1]
		}
	}
	if creates {
		if err := harden(filepath.Join(bundle, "config.json")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fmt.Fprintln(os.Stderr, syscall.Exec(lowerRuntime, os.Args, os.Environ()))
	os.Exit(127)
}
