package exec

import (
	"context"
	"errors"
	"fmt"

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
