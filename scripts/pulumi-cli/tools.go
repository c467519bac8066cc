//go:build tools

// Package tools keeps the Pulumi CLI among the requirements of go.mod, which pins it for scripts/setup.mjs.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
