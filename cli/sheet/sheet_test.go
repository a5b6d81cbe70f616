package sheet

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/ic/principal"
	"kedge/internal/clients"
)

func anchorInfo(devices ...kedge.DeviceWithUsage) kedge.IdentityAnchorInfo {
	return kedge.IdentityAnchorInfo{Devices: devices}
}

func testPage(t *testing.T, info kedge.IdentityAnchorInfo, addresses ...string) Sheet {
	id, err := principal.Parse("rdmx6-jaaaa-aaaaa-aaadq-cai")
	require.NoError(t, err)
	return verbs{}.page(10007, id, client.Mainnet(), addresses, info, time.Unix(1790000000, 5))
}

var (
	phrase = kedge.DeviceWithUsage{Pubkey: []byte{1}, Alias: "Recovery phrase", KeyType: kedge.KeyTypeSeedPhrase, Protection: kedge.DeviceProtectionProtected}
	laptop = kedge.DeviceWithUsage{Pubkey: []byte{2}, Alias: "<script>alert(1)</script>", KeyType: kedge.KeyTypePlatform}
)

func TestPage(t *testing.T) {
	p := testPage(t, anchorInfo(phrase, laptop), "https://id.example", "https://id.example")
	require.Equal(t, []string{"https://id.example", "https://rdmx6-jaaaa-aaaaa-aaadq-cai.icp0.io"}, p.Addresses)
	require.Empty(t, p.Warning)
	require.Zero(t, p.Contacts)
	require.Equal(t, "kedge device list --as phrase --anchor 10007 --network ic --canister rdmx6-jaaaa-aaaaa-aaadq-cai", p.Commands[0])
	require.Len(t, p.Commands, 3)

	require.Contains(t, testPage(t, anchorInfo(laptop)).Warning, "no recovery phrase")
	unprotected := phrase
	unprotected.Protection = kedge.DeviceProtectionUnprotected
	require.Contains(t, testPage(t, anchorInfo(unprotected)).Warning, "not protected")

	info := anchorInfo(phrase)
	info.Contacts = &kedge.Contacts{Threshold: 2, DelayS: 30 * 86_400, Contacts: []kedge.Contact{{Anchor: 10001}, {Anchor: 10002}, {Anchor: 10003}}}
	p = testPage(t, info)
	require.Equal(t, 3, p.Contacts)
	require.Contains(t, p.Text(), "4. Once 2 of 3 have approved, 30 days must pass without a sign of life")
	require.NotContains(t, p.Text(), NoContacts)
	require.NotContains(t, p.Text(), "{")
	require.Contains(t, p.Commands[3], "kedge recover --anchor 10007 ")
	for _, text := range []string{p.Text(), written(t, p)} {
		require.NotContains(t, text, "10001", "who the contacts are is not for paper")
	}
	info.Contacts.Threshold = 1
	require.Contains(t, testPage(t, info).Text(), "Once 1 of 3 has approved")

	p = testPage(t, anchorInfo(phrase))
	require.Empty(t, p.ContactSteps)
	require.Equal(t, []string{NoContacts, Nothing}, p.OtherWays)
	released := phrase
	released.Release = &kedge.Release{}
	require.Equal(t, []string{NoContacts, Released}, testPage(t, anchorInfo(released)).OtherWays)
}

func written(t *testing.T, p Sheet) string {
	var out bytes.Buffer
	require.NoError(t, p.HTML(&out))
	return out.String()
}

// The page is one file: no script, nothing from elsewhere, and texts of others do nothing in it.
func TestHTMLIsHarmlessAndWhole(t *testing.T) {
	page := written(t, testPage(t, anchorInfo(phrase, laptop), "https://id.example"))
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	elements := map[string]int{}
	var text strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch n.Type {
		case html.ElementNode:
			elements[n.Data]++
			for _, attribute := range n.Attr {
				require.NotContains(t, []string{"src", "href", "srcset", "action", "onload"}, attribute.Key)
			}
		case html.TextNode:
			text.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	require.Zero(t, elements["script"]+elements["img"]+elements["link"]+elements["iframe"])
	require.Equal(t, 2, elements["svg"])
	require.NotContains(t, strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""), "http://")
	for _, want := range []string{"10007", "rdmx6-jaaaa-aaaaa-aaadq-cai", "https://id.example", "<script>alert(1)</script>", "protected", "2026-09-21"} {
		require.Contains(t, text.String(), want)
	}
	for _, step := range Steps {
		require.Contains(t, text.String(), step)
	}
	require.Contains(t, page, `<ol class="words">`+strings.Repeat("<li></li>", Words)+"</ol>", "lines to write on, no words")
}

// The web page's own sheet has the same steps in the same order, and says the same of what else there is.
func TestStepsAreThoseOfThePage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(clients.Root(), "frontend-shim", "src", "text", "en.ts"))
	require.NoError(t, err)
	texts := map[string]string{}
	for _, m := range regexp.MustCompile(`"(sheet\.[a-z0-9-]+)": ("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(string(text), -1) {
		value, err := strconv.Unquote(m[2])
		require.NoError(t, err)
		texts[m[1]] = value
	}
	numbered := func(name string) (steps []string) {
		for i := 1; texts[name+strconv.Itoa(i)] != ""; i++ {
			steps = append(steps, texts[name+strconv.Itoa(i)])
		}
		return steps
	}
	require.Equal(t, Steps, numbered("sheet.lost"))
	require.Equal(t, ContactSteps, numbered("sheet.contacts"))
	require.Equal(t, []string{NoContacts, Released, Nothing}, []string{texts["sheet.no-contacts"], texts["sheet.released"], texts["sheet.nothing"]})
	require.Equal(t, withoutPhraseTitle, texts["sheet.without-phrase"])
	require.Contains(t, pageText, "<h2>"+texts["sheet.lost"]+"</h2>")
	require.Contains(t, pageText, "<p>"+texts["sheet.words-text"]+"</p>")

	// The page shows all of them.
	shown, err := os.ReadFile(filepath.Join(clients.Root(), "frontend-shim", "src", "account", "sheet.ts"))
	require.NoError(t, err)
	for name := range texts {
		if name != "sheet.open" {
			require.Contains(t, string(shown), `"`+name+`"`)
		}
	}
}

func TestOtherNetworks(t *testing.T) {
	id, err := principal.Parse("rdmx6-jaaaa-aaaaa-aaadq-cai")
	require.NoError(t, err)
	u, err := url.Parse("http://127.0.0.1:4943")
	require.NoError(t, err)
	p := verbs{}.page(10000, id, client.Network{URL: u}, nil, anchorInfo(phrase), time.Unix(0, 0))
	require.Equal(t, []string{"http://rdmx6-jaaaa-aaaaa-aaadq-cai.localhost:4943"}, p.Addresses)
	require.Contains(t, p.Commands[0], "--network http://127.0.0.1:4943 ")
}
