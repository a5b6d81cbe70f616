package complete

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// splitWords is what cobra's script asks of the package bash-completion: the words of the line, not broken at "=" and
// ":" as in COMP_WORDS.
const splitWords = `    _get_comp_words_by_ref "$@" cur prev words cword
`

// splitWithout does the same where that package is not loaded. A part of COMP_WORDS belongs to the word before it where
// no blank is between them on the line, and one of the two is "=" or ":".
const splitWithout = `    if declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
        _get_comp_words_by_ref "$@" cur prev words cword
        return
    fi
    local i part last= line=$COMP_LINE
    words=() cword=0
    for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
        part=${COMP_WORDS[i]}
        if [[ $i -gt 0 && ${line:0:1} != [[:blank:]] && ($part == [=:]* || $last == *[=:]) ]]; then
            words[${#words[@]}-1]+=$part
        else
            words+=("$part")
        fi
        line=${line#*"$part"}
        last=$part
        [[ $i -eq $COMP_CWORD ]] && cword=$((${#words[@]} - 1))
    done
    cur=${words[cword]}
    prev=
    [[ $cword -gt 0 ]] && prev=${words[cword-1]}
    return 0
`

// bashScript writes cobra's script for bash, made to work where the package bash-completion is not loaded as well.
func bashScript(root *cobra.Command, to io.Writer) error {
	var script bytes.Buffer
	if err := root.GenBashCompletionV2(&script, true); err != nil {
		return err
	}
	if strings.Count(script.String(), splitWords) != 1 {
		return errors.New("the script for bash is not the one that is known")
	}
	if _, err := io.WriteString(to, strings.Replace(script.String(), splitWords, splitWithout, 1)); err != nil {
		return fmt.Errorf("writing the script for bash: %w", err)
	}
	return nil
}
