SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM knowledge_file) AND EXISTS (SELECT 1 FROM knowledge);
SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM chat_file) AND EXISTS (SELECT 1 WHERE (SELECT count(*) FROM (
	SELECT DISTINCT f.id FROM chat c, json_tree(CASE WHEN typeof(c.chat) = 'text' AND json_valid(c.chat) THEN c.chat ELSE '{}' END) j
	  JOIN file f ON f.id = j.atom
	 WHERE (c.chat LIKE '%"files": [{%' OR c.chat LIKE '%"files":[{%') AND j.type = 'text'
	 LIMIT 4)) > 3)
