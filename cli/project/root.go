package project

import (
	"os"
	"path/filepath"
)

// folderName is the name of the project folder.
const folderName = ".kedge"

// Folder is the project folder, relative to the working folder.
func Folder() string { return filepath.Join(Root(), folderName) }

// Root returns the folder of the project that the working folder is in, relative to the working folder: the
// nearest one, itself first and then those above, that has .kedge, or else the nearest that has dfx.json or
// icp.yaml, or else the working folder. A folder of another user is never taken: whoever can write to /tmp could
// otherwise choose the canister for all below it.
func Root() string {
	working, err := os.Getwd()
	if err != nil {
		return "."
	}
	for _, marks := range [][]string{{folderName}, {"dfx.json", "icp.yaml"}} {
		for dir := working; ; dir = filepath.Dir(dir) {
			if marked(dir, marks) && ownFolder(dir) {
				if rel, err := filepath.Rel(working, dir); err == nil {
					return rel
				}
				return dir
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "."
}

func marked(dir string, names []string) bool {
	for _, name := range names {
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && (name != folderName || info.IsDir()) {
			return true
		}
	}
	return false
}
