"""What staff say and take back between two releases: withdrawn answers, notices, rumours."""
