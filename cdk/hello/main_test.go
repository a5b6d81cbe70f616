package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cdk/cdktest"
)

func TestGreet(t *testing.T) {
	network := cdktest.Install(t)
	reply, err := network.Update(greet, []byte("you"))
	require.NoError(t, err)
	require.Equal(t, "hello you", string(reply))
	reply, err = network.Query(count, nil)
	require.NoError(t, err)
	require.Equal(t, "1", string(reply))
}
