package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Options are the settings of an [Engine].
type Options struct {
	// CacheDir is where compiled modules are kept between runs; empty keeps them in memory only.
	CacheDir string
	// Pages is the model of page charges.
	Pages PageModel
	// KeepNames leaves functions their names in the engine, for who listens to it. Traps then have no backtrace.
	KeepNames bool
}

// Engine compiles modules and holds the system calls that instances import.
type Engine struct {
	options Options
	runtime wazero.Runtime
	cache   wazero.CompilationCache
}

// maxHeapPages keeps the size of a heap in bytes within 32 bits: one page short of 4 GiB.
const maxHeapPages = 1<<16 - 1

// NewEngine returns an engine. Close frees it with all its modules and instances.
func NewEngine(ctx context.Context, options Options) (*Engine, error) {
	cache := wazero.NewCompilationCache()
	if options.CacheDir != "" {
		var err error
		if cache, err = wazero.NewCompilationCacheWithDir(options.CacheDir); err != nil {
			return nil, fmt.Errorf("open the cache of compiled modules in %q: %w", options.CacheDir, err)
		}
	}
	features := api.CoreFeaturesV2 | experimental.CoreFeaturesTailCall
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(features).
		WithMemoryLimitPages(maxHeapPages).
		WithDebugInfoEnabled(false).
		WithCompilationCache(cache)
	e := &Engine{options: options, runtime: wazero.NewRuntimeWithConfig(ctx, config), cache: cache}
	if err := errors.Join(exportSyscalls(ctx, e.runtime), exportMeter(ctx, e.runtime)); err != nil {
		return nil, errors.Join(fmt.Errorf("export the system interface: %w", err), e.Close(ctx))
	}
	return e, nil
}

// Close frees the engine, its modules and their instances.
func (e *Engine) Close(ctx context.Context) error {
	return errors.Join(e.runtime.Close(ctx), e.cache.Close(ctx))
}

// damagedCache begins the errors of wazero about its cache; it has no type for them.
const damagedCache = "compilationcache: "

// compile compiles a module. What a crash or a full disk left of the cache says nothing about the module: the
// cache is emptied then, and the module compiled anew.
func (e *Engine) compile(ctx context.Context, code []byte) (wazero.CompiledModule, error) {
	compiled, err := e.runtime.CompileModule(ctx, code)
	if err == nil || e.options.CacheDir == "" || !strings.HasPrefix(err.Error(), damagedCache) {
		return compiled, err
	}
	folders, globErr := filepath.Glob(filepath.Join(e.options.CacheDir, "wazero-*"))
	if globErr != nil {
		return nil, err
	}
	for _, folder := range folders {
		entries, readErr := os.ReadDir(folder)
		if readErr != nil {
			return nil, err
		}
		for _, entry := range entries {
			_ = os.Remove(filepath.Join(folder, entry.Name())) // another process may have done so
		}
	}
	return e.runtime.CompileModule(ctx, code)
}
