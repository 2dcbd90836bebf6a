package fold

// SourceWorkspaces returns the workspaces whose sources sent live events to this partition.
func (s *State) SourceWorkspaces() []string {
	names := make([]string, len(s.activity))
	for i := range s.activity {
		names[i] = s.activity[i].workspace
	}
	return names
}
